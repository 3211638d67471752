package gitops

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	argohealth "github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	engine "github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube/kubetest"
	"github.com/go-logr/logr"
	lua "github.com/yuin/gopher-lua"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// Number of times that Argo CD looks at a sync before this gives up. One look completes one wave.
const looks = 6

// A repository is what is in Git beside what is in the cluster. A record without its file has no target.
type repository struct {
	target, live []*unstructured.Unstructured
}

func (r *repository) add(target, live *unstructured.Unstructured) {
	r.target, r.live = append(r.target, target), append(r.live, live)
}

// Result of a sync: how Argo CD calls it, and what was applied.
type result struct {
	phase   common.OperationPhase
	applied []string
}

// Answers of this package's interpreter to Argo CD's sync.
type shipped struct {
	l      *lua.LState
	script string
}

func (h shipped) GetResourceHealth(o *unstructured.Unstructured) (*argohealth.HealthStatus, error) {
	status, message, err := health(h.l, h.script, o.Object)
	return &argohealth.HealthStatus{Status: argohealth.HealthStatusCode(status), Message: message}, err
}

// A kubectl that notes what it is to apply.
type noting struct {
	kubetest.MockKubectlCmd
	operations kubetest.MockResourceOps
}

func (n *noting) ManageResources(*rest.Config) (kube.ResourceOperations, func(), error) {
	return &n.operations, func() {}, nil
}

// An API server of which Argo CD's sync wants to know which kinds there are.
func discovery(t *testing.T) *rest.Config {
	t.Helper()
	list := metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: "govcloud.dev/v1alpha1",
	}
	for _, kind := range []string{"CloudApplication", "ResourceGrant", "ChangeRequest", "Decommission", "ComplianceRecord", "Inspection", "Assessment"} {
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: strings.ToLower(kind) + "s", Kind: kind, Namespaced: true, Verbs: metav1.Verbs{"get", "patch"},
		})
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/apis/govcloud.dev/v1alpha1" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(list); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL}
}

// A syncer runs Argo CD's own sync, with the health script that is shipped.
type syncer struct {
	t      *testing.T
	config *rest.Config
	health shipped
}

func newSyncer(t *testing.T) syncer {
	t.Helper()
	return syncer{t, discovery(t), shipped{interpreter(t), source(t)}}
}

// Sync syncs a repository, for as long as Argo CD makes progress.
func (s syncer) sync(r repository, options ...engine.SyncOpt) result {
	s.t.Helper()
	kubectl := &noting{}
	options = append([]engine.SyncOpt{
		engine.WithHealthOverride(s.health), engine.WithLogr(logr.Discard()), engine.WithServerSideApply(true),
	}, options...)
	records := engine.ReconciliationResult{Target: r.target, Live: r.live}
	sync, done, err := engine.NewSyncContext("main", records, s.config, s.config, kubectl, "dept-transport", options...)
	if err != nil {
		s.t.Fatal(err)
	}
	defer done()
	var end result
	for range looks {
		sync.Sync()
		if end.phase, _, _ = sync.GetState(); end.phase.Completed() {
			break
		}
	}
	for _, o := range r.target {
		if o != nil && kubectl.operations.GetLastResourceCommand(kube.GetResourceKey(o)) == "apply" {
			end.applied = append(end.applied, o.GetName())
		}
	}
	return end
}

// Of a record that is in Git and in the cluster, or only in Git.
func inGit(o *unstructured.Unstructured, name, wave string) *unstructured.Unstructured {
	o = o.DeepCopy()
	o.SetName(name)
	o.SetNamespace("dept-transport")
	o.SetAnnotations(nil)
	if wave != "" {
		o.SetAnnotations(map[string]string{common.AnnotationSyncWave: wave})
	}
	return o
}

// State of a later wave, while a record of an earlier one stands so.
func (s syncer) laterWave(o object) string {
	s.t.Helper()
	var r repository
	first := inGit(o.Unstructured, "first", "0")
	r.add(first, first)
	r.add(inGit(o.Unstructured, "later", "1"), nil)
	end := s.sync(r)
	switch {
	case slices.Contains(end.applied, "later"):
		return "starts"
	case end.phase == common.OperationFailed:
		return "fails"
	case end.phase == common.OperationRunning:
		return "waits"
	}
	s.t.Fatalf("%s: a sync ended as %s", o.file, end.phase)
	return ""
}

// The sync options that docs/gitops.md gives to the Application of the records.
func documentedOptions(t *testing.T) []string {
	t.Helper()
	for _, document := range documents(t) {
		var application struct {
			Kind     string `json:"kind"`
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Spec struct {
				SyncPolicy struct {
					SyncOptions []string `json:"syncOptions"`
				} `json:"syncPolicy"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal([]byte(document), &application); err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		if application.Kind == "Application" && application.Metadata.Name == "transport-records" {
			return application.Spec.SyncPolicy.SyncOptions
		}
	}
	t.Fatal("docs/gitops.md has no Application transport-records")
	return nil
}

// A correction in Git reaches the cluster whatever stands beside it, as docs/gitops.md arranges records: in one wave, and
// no wave for what was removed from Git. The other way round, it is seen what each of the two would do.
func TestArgoCDSyncsRecordsBesideEveryStanding(t *testing.T) {
	s := newSyncer(t)
	options := documentedOptions(t)
	pruneLast := slices.Contains(options, "PruneLast=true")
	var everything repository
	for _, o := range objects(t) {
		present := inGit(o.Unstructured, o.file, "")
		everything.add(present, present.DeepCopy())
		for _, removed := range []bool{false, true} {
			var r repository
			if removed {
				present.SetAnnotations(map[string]string{common.AnnotationSyncOptions: "Prune=false,Delete=false"})
				r.add(nil, present)
			} else {
				r.add(present, present)
			}
			r.add(inGit(o.Unstructured, "correction", ""), nil)
			end := s.sync(r, engine.WithPruneLast(pruneLast))
			if end.phase != common.OperationSucceeded || !slices.Contains(end.applied, "correction") {
				t.Errorf("%s, removed from Git: %t: the sync is %s, applied: %v", o.file, removed, end.phase, end.applied)
			}
		}
	}
	if end := s.sync(everything, engine.WithPruneLast(pruneLast)); end.phase != common.OperationSucceeded {
		t.Errorf("all records together: %s", end.phase)
	}
	t.Logf("%d records in one wave, with %v: every correction is applied", len(everything.live), options)
}

// A record that is removed from Git and never pruned is a wave of its own with PruneLast, which waits for the others.
func TestArgoCDPruneLastMakesAWave(t *testing.T) {
	s := newSyncer(t)
	for _, o := range objects(t) {
		if o.want.ArgoCD != "Suspended" {
			continue
		}
		var r repository
		waiting := inGit(o.Unstructured, "waiting", "")
		r.add(waiting, waiting)
		r.add(nil, inGit(o.Unstructured, "removed", ""))
		if end := s.sync(r, engine.WithPruneLast(true)); end.phase != common.OperationRunning {
			t.Errorf("%s: with PruneLast the sync is %s", o.file, end.phase)
		}
		if end := s.sync(r); end.phase != common.OperationSucceeded {
			t.Errorf("%s: without it, %s", o.file, end.phase)
		}
		return
	}
	t.Fatal("no record is Suspended")
}
