# The scenes, one function each. Sourced by init. MiB are chosen by the memory of the guest; actors are those of stage.c.

MEM=$(($(read_kib MemTotal) / 1024))
SHARE=$((MEM / 12))

# play KEY=VALUE … ACTOR …: two innocents at rest, and who is named.
play() { stage group=$APPS rest:web:$SHARE:0 rest:db:$((SHARE / 2)):0 "$@"; }

ramp() {
  contend
  play deadline="${2:-60}" "eat:hog:0:$1"
}

scene_global_slow() { ramp 10 90; }
scene_global_mid() { ramp 60; }
scene_global_fast() { ramp 0; }

# ---- the limit of a group, which is not that of the machine

LIMIT=$((MEM / 3))
LIMIT_BYTES=$((LIMIT * 1048576))
GROUP=${APPS#"$CGROUP"}

# Room for the two innocents, and as much again for the culprit; nothing of it into swap.
limited() {
  echo 0 >$APPS/memory.swap.max
  echo ${LIMIT}M >"$APPS/$1"
  contend --domain "memcg:$GROUP"
  play limit=$LIMIT_BYTES deadline=90 "eat:hog:0:20"
}

scene_memcg_max() { limited memory.max; }

# Nobody is ever killed at memory.high, all only stand still: what tells is how long they do.
scene_memcg_high() { limited memory.high; }

# Two processes that are to die together: the kernel takes both, so whoever acts before it has to.
scene_oom_group() {
  contend
  mkdir -p $APPS/hog
  echo 1 >$APPS/hog/memory.oom.group
  play deadline=60 rest:hog:2:0 eat:hog:0:30
}

# ---- many, and their parents

scene_fork_bomb() {
  mkdir -p $APPS/bomb
  echo 40 >$APPS/bomb/pids.max
  contend --scheme family -g
  play deadline=25 culprit=bomb "bomb:bomb:$((MEM / 20)):100"
}

# A tool of an agent that leaks: only it is to go, neither the agent nor its other tools, nor anybody else.
scene_subtree() {
  budget=$((MEM / 3))
  stage group=$APPS rest:web:$SHARE:0 rest:db:$((SHARE / 2)):0 deadline=90 culprit=leak leak:agent:4:10 &
  staged=$!
  await_file /run/stage/agent
  contend --domain "descendants:$(cat /run/stage/agent),${budget}MiB"
  wait $staged
}

# ---- swap

# Memory and swap fill slowly; who sleeps is swapped out, and each look at it would cost a read from the disk.
scene_slow_swap() {
  contend
  [ "$contestant" = badness ] && node /vm/cost.mjs 50 &
  play deadline=200 many:idle:1:60 eat:hog:0:15
}

# ---- others, and what goes wrong

# Two that kill: nobody but the culprit goes for that.
scene_another() {
  contend
  second=$daemon_pid
  begin_earlyoom
  play deadline=60 settle=4 eat:hog:0:30
  check "both live" "$([ -d /proc/$second ] && [ -d /proc/$daemon_pid ] && echo yes)" yes
}

ctl() { node $BADNESS ctl "$@"; }
adj_of() { cat /proc/"$1"/oom_score_adj; }

# check NAME SAW EXPECTED
check() { say "{\"fact\":\"check\",\"name\":\"$1\",\"saw\":\"$2\",\"ok\":$([ "$2" = "$3" ] && echo true || echo false)}"; }

await_file() {
  until [ -s "$1" ]; do sleep 0.1; done
}

# Waits until a process has gone; a guard ends within a second, and is given ten.
await_end() {
  tries=0
  while [ -d "/proc/$1" ] && [ $tries -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
}

# Protected is the largest but for the culprit, and it is the only thing between them: the kernel heeds it too, and afterwards all is as it was.
scene_protection() {
  contend
  stage group=$APPS rest:web:$((SHARE * 2)):0 rest:db:4:0 culprit=none deadline=1 settle=0 >/dev/null
  web=$(cat /run/stage/web)
  echo 77 >/proc/"$web"/oom_score_adj
  ctl protect "$web"
  check "mirrored" "$(adj_of "$web")" -1000
  play_on eat:hog:0:30
  check "kept" "$(adj_of "$web")" -1000
  kill -TERM $daemon_pid
  await_end $daemon_pid
  check "restored" "$(adj_of "$web")" 77
}

# As play, beside those that are there already.
play_on() { stage group=$APPS deadline=60 "$@"; }

scene_protection_after_crash() {
  contend
  stage group=$APPS rest:web:$SHARE:0 culprit=none deadline=1 settle=0 >/dev/null
  web=$(cat /run/stage/web)
  ctl protect "$web"
  kill -KILL $daemon_pid
  await_end $daemon_pid
  check "left behind" "$(adj_of "$web")" -1000
  : >$LOG
  contend
  check "recovered" "$(adj_of "$web")" 0
  play_on eat:hog:0:30
}

scene_no_koffi() {
  mv /opt/node_modules/koffi /opt/node_modules/absent
  contend
  check "does without" "$(grep -c 'koffi is not installed' $LOG)" 1
  play deadline=60 eat:hog:0:30
}

# The culprit ignores SIGTERM; the guard is killed between that and SIGKILL, and the next one has to finish it. Swap does not count, so that the culprit
# can stop between the two levels.
scene_crash_mid_kill() {
  contend -m 40,2 -s 100,100
  play deadline=90 "eat:hog:$(($(read_kib MemAvailable) / 1024 - SHARE * 3 / 2 - MEM / 6)):30:stubborn" &
  staged=$!
  await_file /run/stage/hog
  await $LOG '"level":"term"'
  sleep 0.5
  kill -KILL $daemon_pid
  await_end $daemon_pid
  check "the culprit lives on" "$([ -d /proc/"$(cat /run/stage/hog)" ] && echo yes)" yes
  : >$LOG
  contend -m 40,2 -s 100,100
  wait $staged
}

# Nowhere to write what protection has changed: said, and everything else goes on.
scene_full_disk() {
  mkdir -p /run/badness
  mount -t tmpfs -o size=64k tmpfs /run/badness
  chmod 755 /run/badness
  contend
  dd if=/dev/zero of=/run/badness/filler bs=4k 2>/dev/null
  stage group=$APPS rest:web:$SHARE:0 culprit=none deadline=1 settle=0 >/dev/null
  web=$(cat /run/stage/web)
  ctl protect "$web"
  check "mirrored" "$(adj_of "$web")" -1000
  play_on eat:hog:0:30
  kill -TERM $daemon_pid
  await_end $daemon_pid
  check "restored" "$(adj_of "$web")" 0
}

# An hour back, and later a year on: only the monotonic clock counts.
scene_clock_steps() {
  contend
  date -s "@$(($(date +%s) - 3600))" >/dev/null
  play deadline=60 settle=6 eat:hog:0:15:stubborn &
  staged=$!
  await $LOG '"level":"warn"'
  date -s "@$(($(date +%s) - 3600))" >/dev/null
  await $LOG '"level":"term"'
  date -s "@$(($(date +%s) + 31536000))" >/dev/null
  wait $staged
}

# /proc shows other users' tasks to nobody: a guard without powers of its own sees those of its user, and takes none of the others for the culprit.
scene_hidepid() {
  mount -o remount,hidepid=2 /proc
  mkdir -p /run/badness && chown 1000:1000 /run/badness
  contend_as_user
  play deadline=60 eat:hog:0:30:plain
  check "one guard" "$([ -d /proc/$daemon_pid ] && echo yes)" yes
}
