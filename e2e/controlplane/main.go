// Command controlplane is etcd, kube-apiserver and kube-controller-manager in one program, which acts by the name that it
// is started by. They share most of their packages: it is linked once, in 9 s of processor time. kubectl stands alone,
// because in here each of its starts would take 0.06 s more, for what the servers initialize.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // as in the API server's and the controllers' own mains

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	switch name := filepath.Base(os.Args[0]); name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(app.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(newControllerManagerCommand()))
	default:
		fmt.Fprintf(os.Stderr, "error: started as %s, not as etcd, kube-apiserver or kube-controller-manager\n", name)
		os.Exit(2)
	}
}
