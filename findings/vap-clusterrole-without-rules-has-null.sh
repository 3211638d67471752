#!/usr/bin/env bash
# In an admission policy, a ClusterRole without rules has the field rules, and it is null: has(object.rules) is true, and every
# macro over object.rules is an error.
#
# Version:   k8s.io/apiserver v0.37.2, k8s.io/api v0.37.2 (Kubernetes 1.37.2)
# One would expect: a field that was not sent is absent, as in a custom resource, or is an empty list. "!has(object.rules) ||
#            object.rules.all(…)" is the usual guard.
# Behaviour: the Go type writes the field without omitempty, so CEL sees null. With failurePolicy Fail the guard above refuses each
#            ClusterRole that has no rules, such as one that is filled by aggregation. A ConfigMap without data has no such field. What
#            helps is an optional with a check of the type, or "object.rules == null ||".
# Output:
#   ClusterRole has(object.rules):                                   true
#   ClusterRole !has(object.rules) || object.rules.all(r, true):     error
#   ClusterRole object.?rules.orValue([]).all(r, true):              error
#   ClusterRole object.rules == null || object.rules.all(r, true):   true
#   ConfigMap   has(object.data):                                    false
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
	k8s.io/api v0.37.2
	k8s.io/apimachinery v0.37.2
	k8s.io/apiserver v0.37.2
)
MOD

cat >main.go <<'END'
package main

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	apiservercel "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
)

// Decide evaluates a policy's validations, and their messageExpressions, as the API server does for the creation of an object.
func decide(kind schema.GroupVersionKind, resource string, object runtime.Object, expressions, messages []string) []validating.PolicyDecision {
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		panic(err)
	}
	var conditions, texts []cel.ExpressionAccessor
	for i, expression := range expressions {
		conditions, texts = append(conditions, &validating.ValidationCondition{Expression: expression}), append(texts, nil)
		if i < len(messages) {
			texts[i] = &validating.MessageExpressionCondition{MessageExpression: messages[i]}
		}
	}
	compile := func(all []cel.ExpressionAccessor) cel.ConditionEvaluator {
		return compiler.CompileCondition(all, cel.OptionalVariableDeclarations{}, environment.StoredExpressions)
	}
	validator := validating.NewValidator(compile(conditions), nil, compile(nil), compile(texts), nil, nil)
	gvr := kind.GroupVersion().WithResource(resource)
	attributes := admission.NewAttributesRecord(object, nil, kind, "", "demo", gvr, "", admission.Create, &metav1.CreateOptions{}, false,
		&user.DefaultInfo{Name: "somebody"})
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedObject: admission.NewLazyObject(object), VersionedKind: kind}
	return validator.Validate(context.Background(), gvr, versioned, nil, nil, apiservercel.RuntimeCELCostBudget, nil).Decisions
}

// Evaluate is the result of one expression.
func evaluate(kind schema.GroupVersionKind, resource string, object runtime.Object, expression string) string {
	switch decision := decide(kind, resource, object, []string{expression}, nil)[0]; decision.Evaluation {
	case validating.EvalAdmit:
		return "true"
	case validating.EvalDeny:
		return "false"
	}
	return "error"
}

func main() {
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "demo"}}
	settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "demo"}}
	changed := false
	for _, c := range []struct {
		kind       schema.GroupVersionKind
		resource   string
		object     runtime.Object
		expression string
		seen       string
	}{
		{rbacv1.SchemeGroupVersion.WithKind("ClusterRole"), "clusterroles", role, "has(object.rules)", "true"},
		{rbacv1.SchemeGroupVersion.WithKind("ClusterRole"), "clusterroles", role, "!has(object.rules) || object.rules.all(r, true)", "error"},
		{rbacv1.SchemeGroupVersion.WithKind("ClusterRole"), "clusterroles", role, "object.?rules.orValue([]).all(r, true)", "error"},
		{rbacv1.SchemeGroupVersion.WithKind("ClusterRole"), "clusterroles", role, "object.rules == null || object.rules.all(r, true)", "true"},
		{corev1.SchemeGroupVersion.WithKind("ConfigMap"), "configmaps", settings, "has(object.data)", "false"},
	} {
		now := evaluate(c.kind, c.resource, c.object, c.expression)
		fmt.Printf("%-11s %-52s %s\n", c.kind.Kind, c.expression+":", now)
		changed = changed || now != c.seen
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
