package gitops

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"
)

// Every body that a sink was sent is a valid CloudEvent 1.0 to the CNCF's own SDK.
func TestCloudEventsAreValid(t *testing.T) {
	name := os.Getenv("GOVCLOUD_EVENTS")
	if name == "" {
		t.Fatal("GOVCLOUD_EVENTS names no file; this is run by: cargo test -p e2e --test cloudevents")
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	types, count := map[string]bool{}, 0
	for lines.Scan() {
		e := event.New()
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		if err := e.Validate(); err != nil {
			t.Errorf("%v: %s", err, lines.Text())
		}
		var data struct {
			Event  string `json:"event"`
			Record struct {
				UID    string `json:"uid"`
				Region string `json:"region"`
			} `json:"record"`
		}
		if err := e.DataAs(&data); err != nil {
			t.Errorf("%s: %v", e.ID(), err)
		}
		switch {
		case e.SpecVersion() != "1.0", e.DataContentType() != "application/json", e.Time().IsZero():
			t.Errorf("the envelope of %s", lines.Text())
		case !strings.HasSuffix(e.Type(), "."+data.Event+".v1alpha1"):
			t.Errorf("type %s of %s", e.Type(), data.Event)
		case e.Extensions()["partitionkey"] != data.Record.UID, e.Extensions()["region"] != data.Record.Region:
			t.Errorf("the extensions %v of %s", e.Extensions(), lines.Text())
		}
		types[e.Type()] = true
		count++
	}
	if err := lines.Err(); err != nil || count == 0 {
		t.Fatalf("%d events: %v", count, err)
	}
	t.Logf("%d valid events of %d types", count, len(types))
}
