// Package gitops reads, with the libraries that the tools themselves use, what the project says to those tools.
//
// The objects are what an API server stored; `cargo test -p e2e --test gitops` writes them and runs this.
package gitops

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// An expectation is what each tool must say of every object that stands so.
type expectation struct {
	Kind    string `json:"kind"`
	Phase   string `json:"phase"`
	Reason  string `json:"reason"`
	Overdue bool   `json:"overdue"`
	ArgoCD  string `json:"argocd"`
	Kstatus string `json:"kstatus"`
}

// A key is how an object stands.
func (e expectation) key() string {
	return fmt.Sprintf("%s/%s/%s/overdue=%t", e.Kind, e.Phase, e.Reason, e.Overdue)
}

// A stored object, and what is expected of it.
type object struct {
	*unstructured.Unstructured
	file string
	want expectation
}

func conditionOf(u *unstructured.Unstructured, kind string) map[string]any {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == kind {
			return c
		}
	}
	return map[string]any{}
}

func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

// The key by which an object is found among the expectations.
func standing(u *unstructured.Unstructured) string {
	phase, _, _ := unstructured.NestedString(u.Object, "status", "phase")
	return expectation{
		Kind: u.GetKind(), Phase: phase, Reason: text(conditionOf(u, "Ready"), "reason"),
		Overdue: text(conditionOf(u, "OnTime"), "status") == "False",
	}.key()
}

// Every object that was stored. Fails for one that nothing is expected of, and for an expectation without an object.
func objects(t *testing.T) []object {
	t.Helper()
	dir := os.Getenv("GOVCLOUD_OBJECTS")
	if dir == "" {
		t.Fatal("GOVCLOUD_OBJECTS names no directory; this is run by: cargo test -p e2e --test gitops")
	}
	var expected []expectation
	read(t, "expected.yaml", &expected)
	wanted := map[string]expectation{}
	for _, e := range expected {
		if _, twice := wanted[e.key()]; twice {
			t.Fatalf("expected.yaml says twice what it expects of %s", e.key())
		}
		wanted[e.key()] = e
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no objects in %s: %v", dir, err)
	}
	var all []object
	seen := map[string]bool{}
	for _, file := range files {
		u := &unstructured.Unstructured{}
		if content, err := os.ReadFile(file); err != nil || u.UnmarshalJSON(content) != nil {
			t.Fatalf("%s is no object: %v", file, err)
		}
		want, known := wanted[standing(u)]
		if !known {
			t.Errorf("%s: expected.yaml expects nothing of %s: %v", filepath.Base(file), standing(u), conditionOf(u, "Ready")["message"])
			continue
		}
		seen[want.key()] = true
		all = append(all, object{u, filepath.Base(file), want})
	}
	for key := range wanted {
		if !seen[key] {
			t.Errorf("no stored object stands as %s", key)
		}
	}
	t.Logf("%d objects, %d standings", len(all), len(seen))
	return all
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(content, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
