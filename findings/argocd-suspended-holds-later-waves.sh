#!/usr/bin/env bash
# In Argo CD, an object that is Suspended keeps a sync with waves Running for ever. Nothing of later waves is applied, and no later
# commit either, because only one operation runs at a time.
#
# Version:   github.com/argoproj/argo-cd/gitops-engine at commit c9c369efcc5b (2026-09-14), package sync
# One would expect: Suspended is next to Healthy in the engine's own order of healths, for things that rest on purpose, such as a paused
#            rollout or a CronJob that is off. A wave of it is done, as the health of the Application is.
# Behaviour: only Healthy completes an object of a wave, and only Degraded fails it. It does not matter whether the object changed:
#            one that has been Suspended, or Degraded, for a year does so in each sync. A sync of one wave does not look at health.
# Output:
#   Healthy, one wave later:    Succeeded, new object applied
#   Suspended, one wave later:  Running, new object not applied
#   Degraded, one wave later:   Failed, new object not applied
#   Suspended, the same wave:   Succeeded, new object applied
#   Degraded, the same wave:    Succeeded, new object applied
#   worse than Suspended:       Progressing Missing Degraded Unknown
#
# Needs Go 1.26. Exits with 1 if this is no longer so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0

cat >go.mod <<'MOD'
module finding

go 1.26.1

require github.com/argoproj/argo-cd/gitops-engine v0.0.0-20260914071520-c9c369efcc5b
MOD
# Kubernetes names its own libraries by directory; these are the releases that the engine uses.
for library in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator \
  component-base component-helpers controller-manager cri-api cri-client cri-streaming csi-translation-lib dynamic-resource-allocation \
  endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils \
  pod-security-admission sample-apiserver sample-cli-plugin sample-controller streaming; do
  go mod edit -replace "k8s.io/$library=k8s.io/$library@v0.36.1"
done

cat >main.go <<'END'
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	engine "github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube/kubetest"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
)

// Healths by the label of an object; a health script of Argo CD would read its status.
type healths struct{}

func (healths) GetResourceHealth(o *unstructured.Unstructured) (*health.HealthStatus, error) {
	return &health.HealthStatus{Status: health.HealthStatusCode(o.GetLabels()["health"])}, nil
}

// A kubectl that notes what it is to apply.
type noting struct {
	kubetest.MockKubectlCmd
	operations kubetest.MockResourceOps
}

func (n *noting) ManageResources(*rest.Config) (kube.ResourceOperations, func(), error) {
	return &n.operations, func() {}, nil
}

// A widget of some health, in a sync wave.
func widget(name, health, wave string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "example.com/v1", "kind": "Widget"}}
	o.SetNamespace("demo")
	o.SetName(name)
	o.SetLabels(map[string]string{"health": health})
	o.SetAnnotations(map[string]string{common.AnnotationSyncWave: wave})
	return o
}

// An API server of which the engine wants to know which kinds there are.
func server() *httptest.Server {
	list := metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: "example.com/v1",
		APIResources: []metav1.APIResource{{Name: "widgets", Kind: "Widget", Namespaced: true, Verbs: metav1.Verbs{"get", "patch"}}},
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(list); err != nil {
			fmt.Println(err)
		}
	}))
}

// Sync looks ten times at a sync, as Argo CD does every few seconds, and returns how it stands and whether it applied "new".
func sync(host string, target, live []*unstructured.Unstructured, options ...engine.SyncOpt) (common.OperationPhase, bool) {
	kubectl, config := &noting{}, &rest.Config{Host: host}
	options = append(options, engine.WithHealthOverride(healths{}), engine.WithLogr(logr.Discard()))
	s, done, err := engine.NewSyncContext("main", engine.ReconciliationResult{Target: target, Live: live}, config, config, kubectl, "demo", options...)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer done()
	for range 10 {
		s.Sync()
		if phase, _, _ := s.GetState(); phase.Completed() {
			break
		}
	}
	phase, _, _ := s.GetState()
	return phase, kubectl.operations.GetLastResourceCommand(kube.GetResourceKey(widget("new", "", ""))) == "apply"
}

func main() {
	api := server()
	defer api.Close()
	changed := false
	for _, c := range []struct{ what, health, wave, seen string }{
		{"Healthy, one wave later:", "Healthy", "1", "Succeeded, new object applied"},
		{"Suspended, one wave later:", "Suspended", "1", "Running, new object not applied"},
		{"Degraded, one wave later:", "Degraded", "1", "Failed, new object not applied"},
		{"Suspended, the same wave:", "Suspended", "0", "Succeeded, new object applied"},
		{"Degraded, the same wave:", "Degraded", "0", "Succeeded, new object applied"},
	} {
		// The first object is in the cluster already, just as Git has it.
		old, added := widget("old", c.health, "0"), widget("new", "Healthy", c.wave)
		phase, applied := sync(api.URL, []*unstructured.Unstructured{old, added}, []*unstructured.Unstructured{old, nil})
		now := string(phase) + ", new object not applied"
		if applied {
			now = string(phase) + ", new object applied"
		}
		fmt.Printf("%-27s %s\n", c.what, now)
		changed = changed || now != c.seen
	}
	fmt.Printf("%-27s", "worse than Suspended:")
	for _, code := range []health.HealthStatusCode{"Healthy", "Progressing", "Missing", "Degraded", "Unknown"} {
		if health.IsWorse(health.HealthStatusSuspended, code) {
			fmt.Printf(" %s", code)
		}
	}
	fmt.Println()
	if changed || health.IsWorse(health.HealthStatusSuspended, health.HealthStatusHealthy) {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
