#!/usr/bin/env bash
# In a Flux healthCheckExprs, "status.?ready.orValue(false)" is an error as long as the object has no status. No expression can say
# that such an object is in progress.
#
# Version:   github.com/fluxcd/pkg/runtime v0.116.0, package cel, as kustomize-controller uses it
# One would expect: the optional syntax is there for fields that may be missing, so a missing status yields the default.
# Behaviour: fields of the first level are variables, and one that the object lacks is unknown, which no operator can catch: neither
#            ".?" nor "||", and has() takes no variable. The object is Unknown until its controller writes a status. Optional
#            fields below status work as expected.
# Output:
#   no status:               Unknown (no such attribute(s): status.ready)
#   status without ready:    InProgress
#   status.ready true:       Current
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
	github.com/fluxcd/pkg/apis/kustomize v1.21.0
	github.com/fluxcd/pkg/runtime v0.116.0
	k8s.io/api v0.37.2
	k8s.io/apimachinery v0.37.2
	k8s.io/client-go v0.37.2
)
MOD

cat >main.go <<'END'
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func main() {
	build, err := cel.NewStatusReader([]kustomize.CustomHealthCheck{{
		APIVersion: "example.com/v1", Kind: "Widget",
		HealthCheckExpressions: kustomize.HealthCheckExpressions{
			InProgress: "!status.?ready.orValue(false) || false",
			Current:    "status.ready",
		},
	}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	changed := false
	for _, c := range []struct {
		what   string
		status map[string]any
		seen   string
	}{
		{"no status:", nil, "Unknown"},
		{"status without ready:", map[string]any{"observedGeneration": int64(1)}, "InProgress"},
		{"status.ready true:", map[string]any{"ready": true}, "Current"},
	} {
		o := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/v1", "kind": "Widget",
			"metadata": map[string]any{"name": "demo", "namespace": "demo", "generation": int64(1)},
		}}
		if c.status != nil {
			o.Object["status"] = c.status
		}
		now, err := build(nil).ReadStatusForObject(context.Background(), nil, o)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		why := ""
		if now.Error != nil {
			_, cause, _ := strings.Cut(now.Error.Error(), "': ")
			why = " (" + cause + ")"
		}
		fmt.Printf("%-24s %s%s\n", c.what, now.Status, why)
		changed = changed || now.Status.String() != c.seen
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
