#!/usr/bin/env bash
# A quota key that contains "kubernetes.io/" is accepted and never counted, also where it is somebody's own domain.
#
# Version:   k8s.io/kubernetes v1.37.2, packages apis/core/validation and quota/v1
# One would expect: an extended resource is counted under requests.NAME, whatever its domain, and a key that nobody counts is refused.
# Behaviour: any key with a slash passes validation. The evaluator of pods leaves out what contains "kubernetes.io/" anywhere, because it
#            takes that for Kubernetes' own. Of device classes two forms are counted since 1.34. The quota then has the key in
#            status.hard and not in status.used, and limits nothing.
# Output:
#   requests.example.com/gpu:                            accepted, counted
#   requests.mykubernetes.io/gpu:                        accepted, not counted
#   requests.example.kubernetes.io/gpu:                  accepted, not counted
#   requests.deviceclass.resource.kubernetes.io/gpu:     accepted, counted
#   requests.deviceclasses.resource.kubernetes.io/gpu:   accepted, not counted
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

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/informers"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/quota/v1/install"
)

func main() {
	configuration, err := install.NewQuotaConfigurationForAdmission(informers.NewSharedInformerFactory(nil, 0), nil)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	changed := false
	for _, c := range []struct{ key, seen string }{
		{"requests.example.com/gpu", "accepted, counted"},
		{"requests.mykubernetes.io/gpu", "accepted, not counted"},
		{"requests.example.kubernetes.io/gpu", "accepted, not counted"},
		{"requests.deviceclass.resource.kubernetes.io/gpu", "accepted, counted"},
		{"requests.deviceclasses.resource.kubernetes.io/gpu", "accepted, not counted"},
	} {
		spec := &core.ResourceQuotaSpec{Hard: core.ResourceList{core.ResourceName(c.key): resource.MustParse("1")}}
		now, counted := "accepted", false
		if len(validation.ValidateResourceQuotaSpec(spec, field.NewPath("spec"))) > 0 {
			now = "refused"
		}
		for _, evaluator := range configuration.Evaluators() {
			counted = counted || len(evaluator.MatchingResources([]corev1.ResourceName{corev1.ResourceName(c.key)})) > 0
		}
		if counted {
			now += ", counted"
		} else {
			now += ", not counted"
		}
		fmt.Printf("%-52s %s\n", c.key+":", now)
		changed = changed || now != c.seen
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
