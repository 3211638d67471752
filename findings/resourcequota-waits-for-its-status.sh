#!/usr/bin/env bash
# A new ResourceQuota limits nothing, and a lowered one still allows the old amount, until status.hard is written.
#
# Version:   k8s.io/apiserver v0.37.2 (Kubernetes 1.37.2), its admission plugin ResourceQuota
# One would expect: spec.hard is what the API server enforces, as the description of the field says ("the set of desired
#            hard limits"), or at least that a quota whose status is still empty refuses.
# Behaviour: the plugin reads status.hard alone, which another process, the quota controller, copies from spec.hard. A quota
#            with an empty status takes part in nothing. A status without counted use refuses.
# Output:
#   spec.hard 0, no status yet:           admitted
#   spec.hard 0, status.hard still 1:     admitted
#   spec.hard 0, status.hard 0:           forbidden
#   status.hard 0, use not counted:       forbidden
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
	k8s.io/api v0.37.2
	k8s.io/apimachinery v0.37.2
	k8s.io/apiserver v0.37.2
)
END

cat >main.go <<'END'
package main

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/resourcequota"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/quota/v1/generic"
)

func limit(n string) corev1.ResourceList {
	return corev1.ResourceList{"count/configmaps": resource.MustParse(n)}
}

// Create asks whether one more ConfigMap may be made under a quota.
func create(quota corev1.ResourceQuota) string {
	quota.Name, quota.Namespace = "demo", "demo"
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: "demo"}}
	request := admission.NewAttributesRecord(object, nil, corev1.SchemeGroupVersion.WithKind("ConfigMap"), "demo", "settings",
		corev1.SchemeGroupVersion.WithResource("configmaps"), "", admission.Create, &metav1.CreateOptions{}, false,
		&user.DefaultInfo{Name: "somebody"})
	counter := generic.NewObjectCountEvaluator(schema.GroupResource{Resource: "configmaps"}, nil, "")
	if _, err := resourcequota.CheckRequest([]corev1.ResourceQuota{quota}, request, counter, nil); err != nil {
		return "forbidden"
	}
	return "admitted"
}

func main() {
	spec := corev1.ResourceQuotaSpec{Hard: limit("0")}
	status := func(hard, used corev1.ResourceList) corev1.ResourceQuotaStatus {
		return corev1.ResourceQuotaStatus{Hard: hard, Used: used}
	}
	changed := false
	for _, c := range []struct {
		what  string
		quota corev1.ResourceQuota
		seen  string
	}{
		{"spec.hard 0, no status yet:", corev1.ResourceQuota{Spec: spec}, "admitted"},
		{"spec.hard 0, status.hard still 1:", corev1.ResourceQuota{Spec: spec, Status: status(limit("1"), limit("0"))}, "admitted"},
		{"spec.hard 0, status.hard 0:", corev1.ResourceQuota{Spec: spec, Status: status(limit("0"), limit("0"))}, "forbidden"},
		{"status.hard 0, use not counted:", corev1.ResourceQuota{Spec: spec, Status: status(limit("0"), nil)}, "forbidden"},
	} {
		now := create(c.quota)
		fmt.Printf("%-37s %s\n", c.what, now)
		changed = changed || now != c.seen
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
