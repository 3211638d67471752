#!/usr/bin/env bash
# A PersistentVolume whose claimRef has a namespace and a name and no UID is bound by the next claim of that name, whatever
# storage class and selector that claim has. Clearing all of claimRef, as pages on Retain advise, is more than is needed.
#
# Version:   k8s.io/component-helpers v0.37.2 (Kubernetes 1.37.2), which the volume binder uses
# One would expect: a retained volume comes back only if claimRef is cleared as a whole and the new claim names it in volumeName,
#            and a claim gets no volume of another class.
# Behaviour: without the UID the volume waits for exactly one claim, by name, also where binding waits for the first consumer. Class
#            and selector are not compared. Other claims never get it. With claimRef cleared, any claim of its class may take it.
# Output:
#   UID of the old claim kept:   claim demo/data gets no volume
#   UID removed:                 claim demo/data gets the volume (other class, selector that fits nothing)
#   UID removed:                 claim demo/data gets the volume (binding waits for the first consumer)
#   UID removed:                 claim demo/other gets no volume
#   claimRef cleared:            claim demo/other gets the volume
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
	k8s.io/component-helpers v0.37.2
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
	"k8s.io/component-helpers/storage/volume"
)

const class, otherClass = "fast", "slow"

func volumeOf(reference *corev1.ObjectReference) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "kept"},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:    corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: class, ClaimRef: reference,
		},
		Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeAvailable},
	}
}

func claim(name, class string, selector *metav1.LabelSelector) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: name, UID: "new"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: &class, Selector: selector,
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			},
		},
	}
}

func main() {
	old := &corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: "demo", Name: "data", UID: "old"}
	reserved := old.DeepCopy()
	reserved.UID = ""
	fitsNothing := &metav1.LabelSelector{MatchLabels: map[string]string{"no": "such"}}
	changed := false
	for _, c := range []struct {
		what      string
		reference *corev1.ObjectReference
		claim     *corev1.PersistentVolumeClaim
		waits     bool
		note      string
		gets      bool
	}{
		{"UID of the old claim kept:", old, claim("data", class, nil), false, "", false},
		{"UID removed:", reserved, claim("data", otherClass, fitsNothing), false, " (other class, selector that fits nothing)", true},
		{"UID removed:", reserved, claim("data", class, nil), true, " (binding waits for the first consumer)", true},
		{"UID removed:", reserved, claim("other", class, nil), false, "", false},
		{"claimRef cleared:", nil, claim("other", class, nil), false, "", true},
	} {
		found, err := volume.FindMatchingVolume(c.claim, []*corev1.PersistentVolume{volumeOf(c.reference)}, nil, nil, c.waits, true)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		result := "no volume"
		if found != nil {
			result = "the volume"
		}
		fmt.Printf("%-28s claim demo/%s gets %s%s\n", c.what, c.claim.Name, result, c.note)
		changed = changed || (found != nil) != c.gets
	}
	if changed {
		fmt.Println("the behaviour changed")
		os.Exit(1)
	}
}
END

go run .
