#!/usr/bin/env bash
# A rule of a Velero resource modifier that names namespaces applies to every cluster-scoped object as well.
#
# Version:   github.com/vmware-tanzu/velero v1.18.1, package internal/resourcemodifiers
# One would expect: a rule with "namespaces: [water]" changes objects in the namespace water and no others.
# Behaviour: the condition is asked only of objects that have a namespace. With a groupResource that fits, the rule changes each
#            PersistentVolume, ClusterRole or Namespace of the restore, whichever namespace it belongs to.
# Output:
#   persistentvolumeclaims in water:  changed
#   persistentvolumeclaims in fire:   left as it is
#   persistentvolumes of fire:        changed
#
# Needs Go 1.26. Exits with 1 if this is no longer so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0

# The module lies below Velero's, because Go lets nobody else import its internal packages.
cat >go.mod <<'END'
module github.com/vmware-tanzu/velero/finding

go 1.26.0

require (
	github.com/sirupsen/logrus v1.9.3
	github.com/vmware-tanzu/velero v1.18.1
	k8s.io/api v0.33.11
	k8s.io/apimachinery v0.33.11
)
END

cat >main.go <<'END'
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/sirupsen/logrus"
	"github.com/vmware-tanzu/velero/internal/resourcemodifiers"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

const rules = `
version: v1
resourceModifierRules:
- conditions:
    groupResource: "persistentvolume*"
    namespaces: [water]
  mergePatches:
  - patchData: '{"metadata":{"labels":{"changed":"yes"}}}'
`

func main() {
	modifiers, err := resourcemodifiers.GetResourceModifiersFromConfig(&corev1.ConfigMap{Data: map[string]string{"rules.yaml": rules}})
	if err == nil {
		err = modifiers.Validate()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	changed := false
	for _, c := range []struct{ what, resource, namespace, seen string }{
		{"persistentvolumeclaims in water:", "persistentvolumeclaims", "water", "changed"},
		{"persistentvolumeclaims in fire:", "persistentvolumeclaims", "fire", "left as it is"},
		{"persistentvolumes of fire:", "persistentvolumes", "", "changed"},
	} {
		o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Demo"}}
		o.SetName("data")
		o.SetNamespace(c.namespace)
		if c.namespace == "" {
			o.Object["spec"] = map[string]any{"claimRef": map[string]any{"namespace": "fire", "name": "data"}}
		}
		if errs := modifiers.ApplyResourceModifierRules(o, c.resource, runtime.NewScheme(), log); len(errs) > 0 {
			fmt.Println(errs)
			os.Exit(1)
		}
		now := "left as it is"
		if o.GetLabels()["changed"] == "yes" {
			now = "changed"
		}
		fmt.Printf("%-33s %s\n", c.what, now)
		changed = changed || now != c.seen
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
