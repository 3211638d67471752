package gitops

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

const (
	page = "../../docs/gitops.md"
	// The table on the page stands between these two.
	tableBegin = "<!-- computed by e2e/gitops; INSTA_UPDATE=always writes it -->\n"
	tableEnd   = "<!-- end of what is computed -->\n"
)

// A row is what the tools make of the records of one kind in one phase. Reasons of which they make the same share a row.
type row struct {
	kind, phase     string
	overdue         bool
	reasons         []string
	argoCD, wave    string
	kstatus, waited string
}

// Same returns true if another row differs in nothing but its reasons.
func (r row) same(o row) bool {
	return r.kind == o.kind && r.phase == o.phase && r.overdue == o.overdue && r.argoCD == o.argoCD && r.kstatus == o.kstatus
}

func (r row) String() string {
	overdue := ""
	if r.overdue {
		overdue = "overdue"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n",
		r.kind, r.phase, strings.Join(r.reasons, ", "), overdue, r.argoCD, r.wave, r.kstatus, r.waited)
}

// State of a Kustomization that depends on another, whose health check is kstatus.
var dependent = map[string]string{
	status.CurrentStatus.String(): "starts", status.InProgressStatus.String(): "waits", status.FailedStatus.String(): "waits",
}

// The rows in the order of expected.yaml, which is that of a lifecycle.
func rows(t *testing.T) []row {
	t.Helper()
	all, s, place := objects(t), newSyncer(t), map[string]int{}
	var expected []expectation
	read(t, "expected.yaml", &expected)
	for i, e := range expected {
		place[e.key()] = i
	}
	slices.SortFunc(all, func(a, b object) int { return place[a.want.key()] - place[b.want.key()] })
	var table []row
	for _, o := range all {
		argoCD, _, err := health(s.health.l, s.health.script, o.Object)
		if err != nil {
			t.Fatalf("%s: %v", o.file, err)
		}
		computed, err := status.Compute(o.Unstructured)
		if err != nil {
			t.Fatalf("%s: %v", o.file, err)
		}
		r := row{
			kind: o.want.Kind, phase: o.want.Phase, overdue: o.want.Overdue, reasons: []string{o.want.Reason},
			argoCD: argoCD, wave: s.laterWave(o),
			kstatus: computed.Status.String(), waited: dependent[computed.Status.String()],
		}
		if i := slices.IndexFunc(table, r.same); i >= 0 {
			table[i].reasons = append(table[i].reasons, o.want.Reason)
		} else {
			table = append(table, r)
		}
	}
	return table
}

// The page says of every phase of every kind what the tools' own code makes of it.
func TestArgoCDFluxAndKstatusTableOfEveryPhase(t *testing.T) {
	var table strings.Builder
	table.WriteString("| kind | phase | reason of `Ready` | | Argo CD | a later wave | kstatus, Flux | `dependsOn` |\n|---|---|---|---|---|---|---|---|\n")
	computed := rows(t)
	for _, r := range computed {
		table.WriteString(r.String())
	}
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), tableBegin)
	stored, after, ended := strings.Cut(rest, tableEnd)
	if !found || !ended {
		t.Fatalf("%s has no table between %q and %q", page, tableBegin, tableEnd)
	}
	if strings.TrimSpace(stored) != strings.TrimSpace(table.String()) {
		if os.Getenv("INSTA_UPDATE") != "always" {
			t.Fatalf("%s says:\n%s\nand the tools make of it:\n%s", page, stored, table.String())
		}
		if err := os.WriteFile(page, []byte(before+tableBegin+"\n"+table.String()+"\n"+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d rows of docs/gitops.md", len(computed))
}
