#!/usr/bin/env bash
# A pod that limits itself as a whole to less than the LimitRange's default for one container is refused.
#
# Version:   k8s.io/kubernetes v1.37.2, admission plugin LimitRanger and package apis/core/validation (pod-level resources)
# One would expect: the default is for containers that nothing limits. A pod with spec.resources.limits is limited, and by less.
# Behaviour: LimitRanger does not look at pod-level limits. It writes the default into each container, and validation, which runs
#            afterwards, refuses a container limit above the pod's. The message names a field that the user did not set.
# Output:
#   pod limit 1 CPU, default 500m:    accepted
#   pod limit 100m CPU, no default:   accepted
#   pod limit 100m CPU, default 500m: spec.resources.containers[0][cpu].limits: must be less than or equal to pod limits of 100m
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

require k8s.io/kubernetes v1.37.2
MOD
# Kubernetes names its own libraries by directory; these are the releases of the same version.
for library in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator \
  component-base component-helpers controller-manager cri-api cri-client cri-streaming csi-translation-lib dynamic-resource-allocation \
  endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils \
  pod-security-admission sample-apiserver sample-cli-plugin sample-controller streaming; do
  go mod edit -replace "k8s.io/$library=k8s.io/$library@v0.37.2"
done

cat >main.go <<'END'
package main

import (
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/plugin/pkg/admission/limitranger"
)

// Create is what becomes of a pod with a limit of its own, in a namespace with a default for containers.
func create(limit, byDefault string) string {
	pod := &core.Pod{Spec: core.PodSpec{
		Resources:  &core.ResourceRequirements{Limits: core.ResourceList{core.ResourceCPU: resource.MustParse(limit)}},
		Containers: []core.Container{{Name: "web", Image: "example.com/web:1"}},
	}}
	if byDefault != "" {
		limits := &corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
			Type: corev1.LimitTypeContainer, Default: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(byDefault)},
		}}}}
		if err := limitranger.PodMutateLimitFunc(limits, pod); err != nil {
			return err.Error()
		}
	}
	options := validation.PodValidationOptions{PodLevelResourcesEnabled: true}
	for _, e := range validation.ValidatePodSpec(&pod.Spec, nil, field.NewPath("spec"), options) {
		// Fields that other defaults would have filled in do not matter here.
		if strings.Contains(e.Field, "resources") {
			return e.Field + ": " + e.Detail
		}
	}
	return "accepted"
}

func main() {
	changed := false
	for _, c := range []struct{ what, limit, byDefault, seen string }{
		{"pod limit 1 CPU, default 500m:", "1", "500m", "accepted"},
		{"pod limit 100m CPU, no default:", "100m", "", "accepted"},
		{"pod limit 100m CPU, default 500m:", "100m", "500m", "must be less than or equal to pod limits of 100m"},
	} {
		now := create(c.limit, c.byDefault)
		fmt.Printf("%-33s %s\n", c.what, now)
		changed = changed || !strings.HasSuffix(now, c.seen)
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
