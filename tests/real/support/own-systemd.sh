#!/bin/bash
# Becomes a systemd of its own that runs badness.service as it is shipped, then the script that looks at it. Everything it changes is in
# mounts of its own: the caller has made the namespaces, and ends them. $1: the package, $2: where drop-ins, policy, script and answers are.
set -euo pipefail
package=$1 scene=$2
# Exit code 77: it cannot be done here.
try() { "$@" || { echo "cannot be done here: $*" >&2; exit 77; }; }
[ $$ = 1 ] || { echo "must be pid 1 of its namespace" >&2; exit 77; }

try mount --make-rprivate /
try mount -t proc proc /proc
try mount -t tmpfs tmpfs /run
if mountpoint -q /sys/fs/cgroup; then try umount -R /sys/fs/cgroup; fi
try mount -t cgroup2 cgroup2 /sys/fs/cgroup
for place in /mnt /usr/local/bin /usr/local/lib /var/lib /var/log; do try mount -t tmpfs -o mode=755 tmpfs "$place"; done
cp -a /etc /mnt/etc
try mount --bind /mnt/etc /etc

# As npm install -g leaves it.
home=/usr/local/lib/node_modules/badness
mkdir -p "$home/node_modules" /run/lock
cp -a "$package/dist" "$package/package.json" "$package/packaging" "$home/"
for module in koffi @koromix; do cp -aL "$package/node_modules/$module" "$home/node_modules/"; done
chmod -R a+rX /usr/local/lib
ln -s "$home/dist/cli.js" /usr/local/bin/badness
[ -e "$scene/node" ] && ln -s "$(readlink "$scene/node")" /usr/local/bin/node

systemd-sysusers "$home/packaging/badness.sysusers.conf"
mkdir -p /etc/badness /run/units/badness.service.d /run/units/badness@.service.d
cp "$scene/badness.toml" /etc/badness/
cp "$home/packaging/badness.service" /run/units/
cp "$home/packaging/badness.service" /run/units/badness@.service
cp "$home/packaging/badness-domain.conf" /run/units/badness@.service.d/
for unit in badness badness@; do cp "$scene/scene.conf" "/run/units/$unit.service.d/"; done
for target in sysinit basic shutdown multi-user umount slices sockets timers paths; do
  printf '[Unit]\nDefaultDependencies=no\n' > "/run/units/$target.target"
done
cat > /run/units/default.target <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=badness.service look.service
UNIT
cat > /run/units/look.service <<UNIT
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
Environment=SCENE=$scene
ExecStart=/bin/bash $scene/look.sh
StandardOutput=file:$scene/look.out
StandardError=file:$scene/look.err
UNIT
export SYSTEMD_UNIT_PATH=/run/units container=badness-test
for systemd in /usr/lib/systemd/systemd /lib/systemd/systemd; do
  [ -x "$systemd" ] && exec "$systemd" --system --unit=default.target --log-target=console --log-color=0 --show-status=no
done
try false systemd
