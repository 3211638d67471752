#!/usr/bin/env bash
# A message of a ValidatingAdmissionPolicy that is longer than 5 KiB is not cut, but dropped: the client sees the source text of
# the expression that failed.
#
# Version:   k8s.io/apiserver v0.37.2 (Kubernetes 1.37.2), package admission/plugin/policy/validating
# One would expect: a long text is shown, or cut at the end. The field's description names line breaks and blank text as reasons why a
#            messageExpression is not used, and no length.
# Behaviour: one byte more than 5120 and the message is "failed expression: …". A message that lists what is wrong with a large
#            object disappears when most is wrong. Bytes count: a Chinese text may have 1706 characters.
# Output:
#   5120 bytes:               shown
#   5121 bytes:               failed expression: false
#   1706 Chinese characters:  shown
#   1707 Chinese characters:  failed expression: false
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
	"strings"

	corev1 "k8s.io/api/core/v1"
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

func main() {
	changed := false
	for _, c := range []struct{ what, text, seen string }{
		{"5120 bytes:", strings.Repeat("x", 5120), "shown"},
		{"5121 bytes:", strings.Repeat("x", 5121), "failed expression: false"},
		{"1706 Chinese characters:", strings.Repeat("错", 1706), "shown"},
		{"1707 Chinese characters:", strings.Repeat("错", 1707), "failed expression: false"},
	} {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "demo"}, Data: map[string]string{"text": c.text}}
		decisions := decide(corev1.SchemeGroupVersion.WithKind("ConfigMap"), "configmaps", object,
			[]string{"false"}, []string{"string(object.data['text'])"})
		now := decisions[0].Message
		if now == c.text {
			now = "shown"
		}
		fmt.Printf("%-25s %s\n", c.what, now)
		changed = changed || now != c.seen
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
