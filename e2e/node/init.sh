#!/usr/bin/env bash
# PID 1 of the node's namespaces: network, containerd, control plane, kubelet, in this order. See up.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$1 control_plane=$2 node=$3
shift 3
logs=$root/logs pki=$root/state/pki
kubeconfig() { echo "$root/state/$1.kubeconfig"; }
start() { # name, program, arguments
  local name=$1
  shift
  "$@" >"$logs/$name.log" 2>&1 &
}
until_true() { # seconds, command
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || { echo "not in time: $*" >&2; exit 1; }
    sleep 0.2
  done
}

hostname knode
mount --make-rshared /
while read -r directory; do
  mkdir -p "$directory" "$root/mounts$directory"
  mount --bind "$root/mounts$directory" "$directory"
done <"$here/places"
ip link set lo up
# The API server listens on the first service address itself, so Pods reach it before there is a kube-proxy.
ip address add "$SERVICE_IP/32" dev lo
until_true 30 test -e "$root/linked"
ip address add "$NODE_IP/30" dev node0
ip link set node0 up
# kube-proxy rewrites the destination, but the kernel looks for a route first.
ip route add 10.96.0.0/24 dev node0
sysctl -qw net.ipv4.ip_forward=1 # of this network namespace

for file in containerd.toml kubelet.yaml kube-proxy.yaml; do
  sed "s|@ROOT@|$root|g" "$here/$file" >"$root/state/$file"
done
mkdir -p "$root/cni"
cp "$here/bridge.conflist" "$root/cni/10-bridge.conflist"
start containerd containerd --config "$root/state/containerd.toml"
start etcd "$control_plane/etcd" --data-dir "$root/etcd" --unsafe-no-fsync --log-level=warn \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
start kube-apiserver "$control_plane/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 \
  --secure-port=443 --bind-address=0.0.0.0 --advertise-address="$NODE_IP" \
  --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
  --kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" \
  --kubelet-preferred-address-types=InternalIP --anonymous-auth=false \
  --service-account-issuer=https://kubernetes.default.svc --service-account-signing-key-file="$pki/tokens.key" \
  --service-account-key-file="$pki/tokens.pub" --service-cluster-ip-range=10.96.0.0/24 \
  --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --profiling=false
until_true 60 ctr version
for image in "$@"; do
  ctr -n k8s.io images import "$image" >>"$logs/images.log" 2>&1
done
until_true 120 "$control_plane/kubectl" --kubeconfig "$root/admin.kubeconfig" get --raw /readyz
# With all controllers; the control plane's own has only what needs no Pods.
start kube-controller-manager "$node/kube-controller-manager" --kubeconfig="$(kubeconfig kube-controller-manager)" \
  --use-service-account-credentials=true --service-account-private-key-file="$pki/tokens.key" --root-ca-file="$pki/ca.crt" \
  --leader-elect=false --secure-port=0
start kube-scheduler "$node/kube-scheduler" --kubeconfig="$(kubeconfig kube-scheduler)" --leader-elect=false --secure-port=0
start kube-proxy "$node/kube-proxy" --config="$root/state/kube-proxy.yaml"
start kubelet "$node/kubelet" --config="$root/state/kubelet.yaml" --kubeconfig="$(kubeconfig kubelet)" \
  --hostname-override=knode --node-ip="$NODE_IP"
mkdir -p "$root/volumes"
"$control_plane/kubectl" --kubeconfig "$root/admin.kubeconfig" apply -f "$here/storage.yaml" >"$logs/storage.log" 2>&1
start provisioner "$node/provisioner" "$(kubeconfig provisioner)" knode "$root/volumes"
wait
