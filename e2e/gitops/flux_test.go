package gitops

import (
	"os"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
	"sigs.k8s.io/yaml"
)

// HealthCheckExprs as a Flux Kustomization has them.
type healthCheckExprs struct {
	Kind       string `json:"kind"`
	InProgress string `json:"inProgress"`
	Failed     string `json:"failed"`
	Current    string `json:"current"`
}

// Documents is every YAML document of docs/gitops.md.
func documents(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i, block := range strings.Split(string(content), "```") {
		if yaml, is := strings.CutPrefix(block, "yaml\n"); is && i%2 == 1 {
			all = append(all, strings.Split(yaml, "\n---\n")...)
		}
	}
	return all
}

// The expressions that docs/gitops.md gives for Flux.
func expressions(t *testing.T) map[string]healthCheckExprs {
	t.Helper()
	all := map[string]healthCheckExprs{}
	for _, document := range documents(t) {
		var k struct {
			Spec struct {
				HealthCheckExprs []healthCheckExprs `json:"healthCheckExprs"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal([]byte(document), &k); err != nil {
			t.Fatalf("%s: %v\n%s", page, err, document)
		}
		for _, e := range k.Spec.HealthCheckExprs {
			all[e.Kind] = e
		}
	}
	if len(all) == 0 {
		t.Fatal("docs/gitops.md gives no healthCheckExprs")
	}
	return all
}

// Evaluate asks in the order in which Flux does.
func evaluate(t *testing.T, e healthCheckExprs, object map[string]any) string {
	t.Helper()
	names := []string{"apiVersion", "kind", "metadata", "spec", "status"}
	options := []cel.EnvOption{cel.OptionalTypes()}
	given := map[string]any{}
	for _, name := range names {
		options = append(options, cel.Variable(name, cel.DynType))
		given[name] = object[name]
		if given[name] == nil {
			given[name] = map[string]any{}
		}
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		t.Fatal(err)
	}
	for _, question := range []struct{ answer, expression string }{
		{"InProgress", e.InProgress}, {"Failed", e.Failed}, {"Current", e.Current},
	} {
		ast, issues := env.Compile(question.expression)
		if issues.Err() != nil {
			t.Fatalf("%s: %v", question.expression, issues.Err())
		}
		program, err := env.Program(ast)
		if err != nil {
			t.Fatal(err)
		}
		value, _, err := program.Eval(given)
		if err != nil {
			t.Fatalf("%s: %v", question.expression, err)
		}
		if value.Value() == true {
			return question.answer
		}
	}
	return "Unknown"
}

func TestFluxHealthCheckExprsOfEveryStanding(t *testing.T) {
	expressions, counts := expressions(t), map[string]int{}
	for _, o := range objects(t) {
		e, given := expressions[o.GetKind()]
		if !given {
			continue
		}
		answer := evaluate(t, e, o.Object)
		if answer != o.want.Kstatus {
			t.Errorf("%s: %s, expected %s of %s", o.file, answer, o.want.Kstatus, o.want.key())
		}
		counts[answer]++
		for what, mutilated := range map[string]map[string]any{
			"no status":          with(o.Object, []string{"status"}, nil),
			"no conditions":      with(o.Object, []string{"status", "conditions"}, nil),
			"a later generation": with(o.Object, []string{"metadata", "generation"}, o.GetGeneration()+1),
		} {
			if answer := evaluate(t, e, mutilated); answer != "InProgress" {
				t.Errorf("%s, %s: %s", o.file, what, answer)
			}
		}
	}
	if len(counts) != 3 {
		t.Errorf("not every answer was seen: %v", counts)
	}
	t.Logf("healthCheckExprs: %v", counts)
}
