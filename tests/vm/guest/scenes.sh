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
