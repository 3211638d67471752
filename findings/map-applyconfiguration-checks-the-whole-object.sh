#!/usr/bin/env bash
# A MutatingAdmissionPolicy with ApplyConfiguration refuses a custom resource for a field that it does not touch, before the schema
# of the CustomResourceDefinition is asked. With JSONPatch the same mutation passes.
#
# Version:   k8s.io/apiserver v0.37.2 (Kubernetes 1.37.2), package admission/plugin/policy/mutating/patch
# One would expect: a policy that sets one label says nothing about the type of another field; the schema's message reaches the user.
# Behaviour: ApplyConfiguration makes a typed value of the whole object first. A number where the schema has text ends in an error of
#            the policy, with names of Go types. The policy needs failurePolicy Ignore, or a JSONPatch, to leave it to the schema.
# Output:
#   spec.size "3", ApplyConfiguration:  label set
#   spec.size 3,   ApplyConfiguration:  error applying patch: failed to convert original object to typed object: .spec.size: expected
#                                       string, got &value.valueUnstructured{Value:3}
#   spec.size 3,   JSONPatch:           label set
#
# Needs Go 1.26. Exits with 1 if this is no longer so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0

cat >go.mod <<'MOD'
module finding

go 1.26.0

require (
	k8s.io/apimachinery v0.37.2
	k8s.io/apiserver v0.37.2
	k8s.io/kube-openapi v0.0.0-20260721132016-d427ff9ee9ad
)
MOD

cat >main.go <<'END'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	apiservercel "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

var (
	kind     = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}
	resource = kind.GroupVersion().WithResource("widgets")
)

// The schema that the API server publishes of a CustomResourceDefinition with one field, spec.size, of type string.
const openAPI = `{"type": "object",
	"x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Widget"}],
	"properties": {
		"apiVersion": {"type": "string"}, "kind": {"type": "string"},
		"metadata": {"type": "object", "properties": {
			"name": {"type": "string"}, "labels": {"type": "object", "additionalProperties": {"type": "string"}}}},
		"spec": {"type": "object", "properties": {"size": {"type": "string"}}}}}`

// Mutate lets a policy set a label on a Widget.
func mutate(compile func(cel.MutatingCompiler) patch.Patcher, size any) (string, error) {
	var widget spec.Schema
	if err := json.Unmarshal([]byte(openAPI), &widget); err != nil {
		return "", err
	}
	types, err := managedfields.NewTypeConverter(map[string]*spec.Schema{"com.example.v1.Widget": &widget}, false)
	if err != nil {
		return "", err
	}
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		return "", err
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "demo", "labels": map[string]any{}}, "spec": map[string]any{"size": size},
	}}
	object.SetGroupVersionKind(kind)
	attributes := admission.NewAttributesRecord(object, nil, kind, "demo", "demo", resource, "", admission.Create, &metav1.CreateOptions{},
		false, &user.DefaultInfo{Name: "somebody"})
	request := patch.Request{
		MatchedResource: resource, TypeConverter: types,
		ObjectInterfaces: admission.NewObjectInterfacesFromScheme(runtime.NewScheme()),
		VersionedAttributes: &admission.VersionedAttributes{
			Attributes: attributes, VersionedKind: kind, VersionedObject: admission.NewLazyObject(object),
		},
	}
	patched, err := compile(compiler).Patch(context.Background(), request, apiservercel.RuntimeCELCostBudget)
	if err != nil {
		return "", err
	}
	return patched.(*unstructured.Unstructured).GetLabels()["seen"], nil
}

func main() {
	declarations := cel.OptionalVariableDeclarations{HasPatchTypes: true}
	applyConfiguration := func(c cel.MutatingCompiler) patch.Patcher {
		expression := `Object{metadata: Object.metadata{labels: {"seen": "yes"}}}`
		return patch.NewApplyConfigurationPatcher(c.CompileMutatingEvaluator(
			&patch.ApplyConfigurationCondition{Expression: expression}, declarations, environment.StoredExpressions))
	}
	jsonPatch := func(c cel.MutatingCompiler) patch.Patcher {
		expression := `[JSONPatch{op: "add", path: "/metadata/labels/seen", value: "yes"}]`
		return patch.NewJSONPatcher(c.CompileMutatingEvaluator(
			&patch.JSONPatchCondition{Expression: expression}, declarations, environment.StoredExpressions))
	}
	changed := false
	for _, c := range []struct {
		what    string
		compile func(cel.MutatingCompiler) patch.Patcher
		size    any
		seen    string
	}{
		{`spec.size "3", ApplyConfiguration:`, applyConfiguration, "3", "label set"},
		{`spec.size 3,   ApplyConfiguration:`, applyConfiguration, int64(3), "error applying patch: failed to convert original object to typed object: .spec.size:"},
		{`spec.size 3,   JSONPatch:`, jsonPatch, int64(3), "label set"},
	} {
		label, err := mutate(c.compile, c.size)
		now := "label " + map[bool]string{true: "set", false: "missing"}[label == "yes"]
		if err != nil {
			now = err.Error()
		}
		fmt.Printf("%-35s %s\n", c.what, now)
		changed = changed || !strings.HasPrefix(now, c.seen)
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
