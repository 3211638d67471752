// What `velero restore` does to an object before it creates it, by Velero's own code, for e2e/tests/restore.rs.
//
// usage: modify CONFIGMAP.yaml < objects; one JSON object a line in, {"groupResource": …, "object": …}; one a line out.
//
// The module's name lies below Velero's own, because Go lets nobody else import its internal packages.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/vmware-tanzu/velero/internal/resourcemodifiers"
)

type item struct {
	GroupResource string         `json:"groupResource"`
	Object        map[string]any `json:"object"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: modify CONFIGMAP.yaml < objects")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config corev1.ConfigMap
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		return err
	}
	rules, err := resourcemodifiers.GetResourceModifiersFromConfig(&config)
	if err != nil {
		return err
	}
	if err := rules.Validate(); err != nil {
		return err
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	objects, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var i item
		if err := objects.Decode(&i); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		object := &unstructured.Unstructured{Object: i.Object}
		if errs := rules.ApplyResourceModifierRules(object, i.GroupResource, runtime.NewScheme(), log); len(errs) > 0 {
			return errors.Join(errs...)
		}
		if err := out.Encode(object.Object); err != nil {
			return err
		}
	}
}
