#!/usr/bin/env bash
# In Argo CD, the option PruneLast makes a sync without waves wait for the health of everything, from the day on which an object is
# left out of Git, also where nothing is ever pruned.
#
# Version:   github.com/argoproj/argo-cd/gitops-engine at commit c9c369efcc5b (2026-09-14), package sync
# One would expect: PruneLast is about the order of pruning, so it has no effect with pruning off, or on an object with Prune=false.
# Behaviour: what is only in the cluster becomes a task of a wave of its own, which then does nothing ("ignored"). A sync of two
#            waves waits until the first is healthy. An object that is Progressing keeps it Running, one that is Degraded fails it.
# Output:
#   Progressing, all in Git:               Succeeded
#   Progressing, one left out:             Succeeded
#   Progressing, one left out, PruneLast:  Running
#   Degraded, one left out, PruneLast:     Failed
#   Degraded, all in Git, PruneLast:       Succeeded
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
	for _, c := range []struct {
		what, health       string
		leftOut, pruneLast bool
		seen               common.OperationPhase
	}{
		{"Progressing, all in Git:", "Progressing", false, false, common.OperationSucceeded},
		{"Progressing, one left out:", "Progressing", true, false, common.OperationSucceeded},
		{"Progressing, one left out, PruneLast:", "Progressing", true, true, common.OperationRunning},
		{"Degraded, one left out, PruneLast:", "Degraded", true, true, common.OperationFailed},
		{"Degraded, all in Git, PruneLast:", "Degraded", false, true, common.OperationSucceeded},
	} {
		kept := widget("kept", c.health, "0")
		target, live := []*unstructured.Unstructured{kept}, []*unstructured.Unstructured{kept}
		if c.leftOut {
			old := widget("old", "Healthy", "0")
			old.SetAnnotations(map[string]string{common.AnnotationSyncOptions: "Prune=false"})
			target, live = append(target, nil), append(live, old)
		}
		now, _ := sync(api.URL, target, live, engine.WithPruneLast(c.pruneLast))
		fmt.Printf("%-38s %s\n", c.what, now)
		changed = changed || now != c.seen
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
