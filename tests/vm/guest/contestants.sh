# Who is beside the scene, each as its Debian package configures it, with the memory protection and the oom_score_adj of its unit. Sourced by init.

CGROUP=/sys/fs/cgroup
# Where Debian's configurations of oomd and systemd-oomd look for those who may be killed.
APPS=$CGROUP/user.slice/user-1000.slice/user@1000.service
DAEMON=$CGROUP/daemon
LOG=/run/contestant.log

enable() { echo "+memory +pids" >"$1/cgroup.subtree_control"; }

make_groups() {
  mkdir -p $APPS $DAEMON $CGROUP/system.slice
  enable $CGROUP
  enable $CGROUP/user.slice
  enable $CGROUP/user.slice/user-1000.slice
  enable $APPS
}

# Waits for a file to have a line like that; tells when it never came.
await() {
  file=$1 pattern=$2 tries=0
  until grep -q -- "$pattern" "$file" 2>/dev/null; do
    tries=$((tries + 1))
    if [ $tries -gt 600 ] || [ ! -d "/proc/$daemon_pid" ]; then
      say "{\"fact\":\"missed\",\"pattern\":\"$(echo "$pattern" | tr -d '\\"')\"}"
      return 1
    fi
    sleep 0.1
  done
}

# begin ADJ NICE PATTERN COMMAND …: starts a daemon in its own cgroup and waits until it says that it watches, unless PATTERN is empty. Its pid is
# in $daemon_pid.
begin() {
  adj=$1 nice=$2 pattern=$3
  shift 3
  : >>$LOG
  (
    echo "$adj" >/proc/self/oom_score_adj
    echo 0 >$DAEMON/cgroup.procs
    renice -n "$nice" -p "$(sh -c 'echo $PPID')" >/dev/null
    exec "$@"
  ) >>$LOG 2>&1 &
  daemon_pid=$!
  [ -z "$pattern" ] || await $LOG "$pattern"
}

BADNESS=/opt/node_modules/badness/dist/cli.js

begin_badness() {
  echo 0 >$DAEMON/memory.swap.max 2>/dev/null
  export BADNESS_CONTROL=/run/badness/control.sock
  echo 128M >$DAEMON/memory.low
  begin -1000 -20 '"kind":"start"' node $BADNESS guard --enforce --json -r 0 "$@"
}

# As a plain user, who may neither lock memory nor signal others; out of swap, as a unit of such a user can be.
contend_as_user() {
  echo 0 >$DAEMON/memory.swap.max 2>/dev/null
  export BADNESS_CONTROL=/run/badness/control.sock
  begin 0 0 '"kind":"start"' su -s /bin/sh plain -c "exec node $BADNESS guard --enforce --json -r 0"
}

begin_earlyoom() { begin 0 0 'mem avail' earlyoom -r 3600; }

begin_nohang() { begin 0 0 'Monitoring has started' python3 /usr/sbin/nohang --monitor --config /etc/nohang/nohang.conf; }

begin_oomd() {
  echo 64M >$DAEMON/memory.low
  begin 0 0 'oomd running with conf_file\|configured successfully\|Running with' /usr/bin/oomd --interval 1 --config /etc/oomd/oomd.json --cgroup-fs $CGROUP
}

# It asks systemd whom it is to watch; there is none here, so a stand-in answers what systemd does with Debian's drop-ins.
begin_systemd_oomd() {
  mkdir -p /run/systemd/system /run/systemd/oom
  daemon_pid=1
  node /vm/managed-oom.mjs "/user.slice/user-1000.slice/user@1000.service" >/run/managed.log 2>&1 &
  await /run/managed.log ready
  export SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=info LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/systemd
  echo 64M | tee $DAEMON/memory.min >$DAEMON/memory.low
  begin -900 0 '' /lib/systemd/systemd-oomd
  unset LD_LIBRARY_PATH
  await /run/managed.log asked
}

begin_kernel() { daemon_pid=; }

# contend [option of badness …]: starts the contestant of this run, and says what it is and what it holds.
contend() {
  "begin_$(echo "$contestant" | tr - _)" "$@"
  [ -z "$daemon_pid" ] && return
  say "{\"fact\":\"contestant\",\"alive\":$([ -d /proc/"$daemon_pid" ] && echo true || echo false),\"rss_kib\":$(awk '/VmRSS/ { print $2 }' /proc/"$daemon_pid"/status 2>/dev/null || echo null)}"
}
