#!/usr/bin/env bash
# Starts the node of `make test-node` in namespaces of its own, reachable from here over a pair of virtual links, and
# stays until it ends. Killing this ends everything: PID 1 of the namespaces dies with it, and the kernel then ends every
# process in them and drops their mounts and links. No packet leaves the machine: the node has no default route.
#
#   up.sh ROOT CONTROL_PLANE NODE IMAGE…     directories of state and binaries; image archives, the sandbox's first
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$1
export HOST_IP=10.90.0.1 NODE_IP=10.90.0.2 SERVICE_IP=10.96.0.1

unshare --net --mount --pid --uts --ipc --fork --kill-child --mount-proc --propagation private \
  bash "$here/init.sh" "$@" </dev/null &
unshare=$!
init=
until [[ -n "$init" ]] && [[ "$(readlink "/proc/$init/ns/net")" != "$(readlink /proc/self/ns/net)" ]]; do
  kill -0 $unshare || exit 1
  init=$(tr -d ' ' <"/proc/$unshare/task/$unshare/children" || true)
  sleep 0.05
done
echo "$init" >"$root/init.pid"
ip link add kn0 type veth peer name node0 netns "$init"
ip address add $HOST_IP/30 dev kn0
ip link set kn0 up
# Pods and services of the node; otherwise such packets would leave by this machine's default route.
ip route add 10.91.0.0/24 via $NODE_IP
ip route add 10.96.0.0/24 via $NODE_IP
touch "$root/linked"
wait $unshare
