#!/usr/bin/env bash
# A ValidatingAdmissionPolicy pays for its messageExpressions on every request, also where nothing fails, and refuses requests
# that pass all of its validations when the messages cost too much.
#
# Version:   k8s.io/apiserver v0.37.2 (Kubernetes 1.37.2), package admission/plugin/policy/validating
# One would expect: a messageExpression is evaluated when its validation fails, because only then there is a message.
# Behaviour: all of them are evaluated after all validations, with what these left of the policy's cost budget of 10,000,000. When it
#            runs out, every validation that passed counts as an error, and with failurePolicy Fail the request is refused.
# Output (all validations are the expression "true"):
#   without messageExpression, 300 keys:  25 of 25 admit
#   with messageExpression, 20 keys:      25 of 25 admit
#   with messageExpression, 300 keys:     0 of 25 admit: failed messageExpression: validation failed due to running out of cost
#                                         budget, no further validation rules will be run
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

// Many is so many times the same text.
func many(text string, n int) []string {
	return strings.Split(strings.Repeat(text+"\n", n-1)+text, "\n")
}

func main() {
	const validations = 25
	// It compares every key with every other, as a message that names duplicates does.
	message := "'keys: ' + string(object.data.map(a, object.data.map(b, a == b).size()).size())"
	changed := false
	for _, c := range []struct {
		what     string
		keys     int
		messages []string
		admitted int
	}{
		{"without messageExpression, 300 keys:", 300, nil, validations},
		{"with messageExpression, 20 keys:", 20, many(message, validations), validations},
		{"with messageExpression, 300 keys:", 300, many(message, validations), 0},
	} {
		data := map[string]string{}
		for i := range c.keys {
			data[fmt.Sprintf("key-%d", i)] = "value"
		}
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "demo"}, Data: data}
		decisions := decide(corev1.SchemeGroupVersion.WithKind("ConfigMap"), "configmaps", object, many("true", validations), c.messages)
		admitted, why := 0, ""
		for _, d := range decisions {
			if d.Action == validating.ActionAdmit {
				admitted++
			} else {
				why = ": " + d.Message
			}
		}
		fmt.Printf("%-37s %d of %d admit%s\n", c.what, admitted, validations, why)
		changed = changed || admitted != c.admitted || (why == "") != (admitted == validations)
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
