#!/usr/bin/env bash
# kstatus calls the same object InProgress or Failed, depending on the order of its conditions.
#
# Version:   sigs.k8s.io/cli-utils v0.37.2 and github.com/fluxcd/cli-utils v1.2.2 (the copy in Flux), package kstatus/status
# One would expect: conditions are a map by type, so their order means nothing, and Stalled goes before Reconciling or after it, always.
# Behaviour: the first of Reconciling and Stalled that is True in the list decides. A controller that adds Stalled while
#            Reconciling is still True is seen as failed only if Stalled comes first. A list that is sorted, or
#            merged by server-side apply, can change the answer. Ready is not looked at in either case.
# Output:
#   sigs.k8s.io/cli-utils   Ready=True,  Reconciling=True, Stalled=True:  InProgress
#   sigs.k8s.io/cli-utils   Ready=True,  Stalled=True, Reconciling=True:  Failed
#   fluxcd/cli-utils        Ready=True,  Reconciling=True, Stalled=True:  InProgress
#   fluxcd/cli-utils        Ready=True,  Stalled=True, Reconciling=True:  Failed
#
# Needs Go 1.26. Exits with 1 if this is no longer so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0

cat >go.mod <<'END'
module finding

go 1.26.0

require (
	github.com/fluxcd/cli-utils v1.2.2
	k8s.io/apimachinery v0.37.2
	sigs.k8s.io/cli-utils v0.37.2
)
END

cat >main.go <<'END'
package main

import (
	"fmt"
	"os"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// Object has conditions of these types, all True.
func object(types ...string) *unstructured.Unstructured {
	var conditions []any
	for _, t := range types {
		conditions = append(conditions, map[string]any{"type": t, "status": "True", "reason": "Demo", "message": "demo"})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget",
		"metadata": map[string]any{"name": "demo", "generation": int64(1)},
		"status":   map[string]any{"observedGeneration": int64(1), "conditions": conditions},
	}}
}

func main() {
	libraries := []struct {
		name    string
		compute func(*unstructured.Unstructured) (string, error)
	}{
		{"sigs.k8s.io/cli-utils", func(u *unstructured.Unstructured) (string, error) {
			r, err := status.Compute(u)
			if err != nil {
				return "", err
			}
			return r.Status.String(), nil
		}},
		{"fluxcd/cli-utils", func(u *unstructured.Unstructured) (string, error) {
			r, err := flux.Compute(u)
			if err != nil {
				return "", err
			}
			return r.Status.String(), nil
		}},
	}
	changed := false
	for _, library := range libraries {
		for _, c := range []struct{ first, second, seen string }{
			{"Reconciling", "Stalled", "InProgress"}, {"Stalled", "Reconciling", "Failed"},
		} {
			now, err := library.compute(object("Ready", c.first, c.second))
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			fmt.Printf("%-23s Ready=True,  %s=True, %s=True:  %s\n", library.name, c.first, c.second, now)
			changed = changed || now != c.seen
		}
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
