# shellcheck shell=sh
# The supervisor: a small process that outlives the harness by a moment and cleans up after it, however it ended.
#
# It reads orders from stdin, one a line, and acts when stdin ends, which the kernel sees to even after SIGKILL:
#   pid PID START   this process is the harness's (START tells it from a later one with the same number)
#   gone PID        it has ended
#   audit FILE      the volumes that this audit log tells of are the harness's
#   dir PATH        this directory is the harness's
#   node LINK       this link, and the cgroups of a kubelet, are the harness's (make test-node)
#   empty PATH      this directory was not there before, and goes once it is empty
#   removed PATH    FILE or directory PATH is no longer there to be cleaned
#   release         everything is meant to stay: forget it all
#
# Its own process group, and the traps, keep a Ctrl-C meant for the harness away from it.
trap '' INT TERM HUP QUIT PIPE

newline='
'
pids='' dirs='' audits='' empties='' node=''

# The start of process $1, or nothing when it has ended (a zombie has).
start_of() {
  if [ -r /proc/self/stat ]; then
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    stat=${stat##*) }
    case "$stat" in Z*) return 0 ;; esac
    echo "$stat" | cut -d' ' -f20
  else
    ps -o lstart= -p "$1" 2>/dev/null | tr -d ' '
  fi
}

without() { # the lines of $1, except those that begin with $2
  printf '%s' "$1" | while IFS= read -r line; do
    case "$line" in "$2" | "$2 "*) ;; *) printf '%s\n' "$line" ;; esac
  done
  printf .
}

while IFS= read -r order; do
  word=${order%% *} rest=${order#* }
  case "$word" in
    pid) pids=$pids$rest$newline ;;
    gone) pids=$(without "$pids" "$rest") pids=${pids%.} ;;
    audit) audits=$audits$rest$newline ;;
    node) node=$rest ;;
    dir) dirs=$dirs$rest$newline ;;
    empty) empties=$empties$rest$newline ;;
    removed)
      dirs=$(without "$dirs" "$rest") dirs=${dirs%.}
      audits=$(without "$audits" "$rest") audits=${audits%.}
      ;;
    release) pids='' dirs='' audits='' empties='' node='' ;;
  esac
done

printf '%s' "$pids" | while read -r pid start; do
  if [ "$(start_of "$pid")" = "$start" ]; then
    # With -s: dash takes the -- of `kill -KILL -- -1` for a number, and the rest of the group would live on.
    kill -s KILL -- "-$pid" 2>/dev/null || kill -s KILL "$pid" 2>/dev/null
    while [ "$(start_of "$pid")" = "$start" ]; do sleep 0.05; done
  fi
done

printf '%s' "$audits" | while IFS= read -r audit; do
  grep -h '"verb":"create"' "$audit" 2>/dev/null |
    grep '"username":"system:serviceaccount:kube-system:persistent-volume-binder"' |
    grep '"resource":"persistentvolumes"' |
    grep -o '/tmp/hostpath_pv/[0-9a-f-]*' | sort -u |
    while read -r volume; do
      case "$volume" in /tmp/hostpath_pv/????????-????-????-????-????????????) rm -rf "$volume" ;; esac
    done
  rmdir /tmp/hostpath_pv 2>/dev/null
done

# The kernel ends a node's processes with its first one; their cgroups can go once they are empty.
if [ -n "$node" ]; then
  ip link delete "$node" 2>/dev/null
  tries=0
  while [ -n "$(find /sys/fs/cgroup -mindepth 2 -maxdepth 2 -type d -name 'kubepods*' 2>/dev/null)" ] && [ $tries -lt 100 ]; do
    find /sys/fs/cgroup -mindepth 2 -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null
    tries=$((tries + 1))
    sleep 0.1
  done
fi

printf '%s' "$dirs" | while IFS= read -r dir; do
  # What was killed a moment ago may still have been writing.
  rm -rf "$dir" 2>/dev/null || { sleep 1 && rm -rf "$dir"; }
done

printf '%s' "$empties" | while IFS= read -r dir; do
  rmdir "$dir" 2>/dev/null
done
