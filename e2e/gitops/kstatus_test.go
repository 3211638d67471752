package gitops

import (
	"testing"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func TestKstatusOfEveryStanding(t *testing.T) {
	counts := map[status.Status]int{}
	for _, o := range objects(t) {
		result, err := status.Compute(o.Unstructured)
		if err != nil {
			t.Fatalf("%s: %v", o.file, err)
		}
		if result.Status.String() != o.want.Kstatus {
			t.Errorf("%s: %s, expected %s of %s (%s)", o.file, result.Status, o.want.Kstatus, o.want.key(), result.Message)
		}
		// Flux has a copy of its own.
		if copied, err := flux.Compute(o.Unstructured); err != nil || copied.Status.String() != result.Status.String() {
			t.Errorf("%s: %v to Flux: %v", o.file, copied, err)
		}
		counts[result.Status]++
		// What the operator has not seen yet is never taken for done.
		later := o.DeepCopy()
		later.SetGeneration(o.GetGeneration() + 1)
		result, err = status.Compute(later)
		if err != nil || result.Status != status.InProgressStatus {
			t.Errorf("%s, a later generation: %v %v", o.file, result, err)
		}
	}
	t.Logf("kstatus: %v", counts)
}
