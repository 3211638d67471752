package gitops

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/engine"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

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

// Flux's own reader of the health checks that docs/gitops.md gives for it.
func reader(t *testing.T) engine.StatusReader {
	t.Helper()
	var all []kustomize.CustomHealthCheck
	for _, document := range documents(t) {
		var k struct {
			Spec struct {
				HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal([]byte(document), &k); err != nil {
			t.Fatalf("%s: %v\n%s", page, err, document)
		}
		all = append(all, k.Spec.HealthCheckExprs...)
	}
	if len(all) == 0 {
		t.Fatalf("%s gives no healthCheckExprs", page)
	}
	build, err := cel.NewStatusReader(all)
	if err != nil {
		t.Fatal(err)
	}
	return build(nil)
}

func TestFluxHealthCheckExprsOfEveryStanding(t *testing.T) {
	reader, counts := reader(t), map[string]int{}
	answer := func(o object, content map[string]any) string {
		read, err := reader.ReadStatusForObject(context.Background(), nil, &unstructured.Unstructured{Object: content})
		if err != nil {
			t.Fatalf("%s: %v", o.file, err)
		}
		return read.Status.String()
	}
	for _, o := range objects(t) {
		if !reader.Supports(o.GroupVersionKind().GroupKind()) {
			continue
		}
		now := answer(o, o.Object)
		if now != o.want.Kstatus {
			t.Errorf("%s: %s, expected %s of %s", o.file, now, o.want.Kstatus, o.want.key())
		}
		counts[now]++
		for what, mutilated := range map[string]struct {
			content map[string]any
			want    string
		}{
			// An expression cannot ask whether a field of the first level is there. Unknown is waited for as well.
			"no status":          {with(o.Object, []string{"status"}, nil), "Unknown"},
			"no conditions":      {with(o.Object, []string{"status", "conditions"}, nil), "InProgress"},
			"a later generation": {with(o.Object, []string{"metadata", "generation"}, o.GetGeneration()+1), "InProgress"},
		} {
			if now := answer(o, mutilated.content); now != mutilated.want {
				t.Errorf("%s, %s: %s", o.file, what, now)
			}
		}
	}
	if len(counts) != 3 {
		t.Errorf("not every answer was seen: %v", counts)
	}
	t.Logf("healthCheckExprs: %v", counts)
}
