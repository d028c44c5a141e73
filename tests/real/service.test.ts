// badness.service as it is shipped, under a systemd of the test's own: that it starts, kills, tells, is watched and stops inside its sandbox.
// The guard is in a pid namespace with nothing but that systemd and the tasks of the script, so it can choose nobody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DROP_IN, had, noSystemd, runService } from './support/own-systemd.js';

const hasResource = had.some(([name]) => name === 'CAP_SYS_RESOURCE');

/** Pressure is left to the machine: rounds are asked for. The hog is told apart by its program's path, which wants CAP_SYS_PTRACE. */
const POLICY = `version = 1
enforce = true
domain = "system"
thresholds.term.available = "0.1%"
escalation.term_ms = 500

[[rule]]
exe = "*/node*"
cmdline = "*fill*"
class = "first"
least = "1MiB"

[[notify]]
on = "after_kill"
command = ["/bin/sh", "-c", "cat /proc/self/oom_score_adj > /run/badness/told; env | grep -c NOTIFY_SOCKET >> /run/badness/told; touch /usr/told"]
`;

const LOOK = `
for i in $(seq 600); do systemctl is-active -q badness && break; sleep 0.1; done
systemctl show badness -p ActiveState -p StatusText -p User -p NRestarts > $SCENE/show
P=$(systemctl show badness -p MainPID --value)
cat /proc/$P/status /proc/$P/oom_score_adj > $SCENE/status
stat -c '%U %a %n' /run/badness/control.sock /var/lib/badness > $SCENE/places
hog() {
  rm -f $SCENE/full
  nice -n 19 node -e "$1; const fill = Buffer.alloc(150e6, 1); setInterval(() => fill[0]++, 1000); fs.writeFileSync('$SCENE/full', '')" & H=$!
  for i in $(seq 600); do [ -e $SCENE/full ] && break; sleep 0.1; done
}
hog ''
badness ctl round --json > $SCENE/asked 2>&1; wait $H; echo $? > $SCENE/asked-end
hog 'process.on("SIGTERM", () => {})'
badness ctl round --json > $SCENE/forced 2>&1; wait $H; echo $? > $SCENE/forced-end
for i in $(seq 600); do [ -s /run/badness/told ] && break; sleep 0.1; done
cat /run/badness/told > $SCENE/told; ls /usr/told > $SCENE/outside 2>&1
sleep 100 & S=$!
badness ctl protect $S > $SCENE/protect 2>&1; cat /proc/$S/oom_score_adj > $SCENE/protected-adj; ls /var/lib/badness > $SCENE/state
sed -i 's/"0.1%"/"0.2%"/' /etc/badness/badness.toml
systemctl reload badness > $SCENE/reload 2>&1
for i in $(seq 600); do systemctl show badness -p StatusText | grep -q 'SIGTERM: available <= 0.2 %' && break; sleep 0.1; done
systemctl show badness -p ActiveState -p StatusText -p MainPID > $SCENE/reloaded; echo "MainPID=$P" >> $SCENE/reload
kill -STOP $P
for i in $(seq 600); do [ "$(systemctl show badness -p NRestarts --value)" = 1 ] && systemctl is-active -q badness && break; sleep 0.1; done
systemctl show badness -p ActiveState -p NRestarts > $SCENE/after-hang
cat /proc/$S/oom_score_adj > $SCENE/restored-adj
badness ctl state > $SCENE/ctl 2>&1
systemctl stop badness
systemctl show badness -p ActiveState -p Result -p ExecMainStatus > $SCENE/stopped
touch $SCENE/done
`;

test('service: inside its sandbox the guard starts, kills, tells, reloads, is watched, and stops', async (t) => {
  const missing = noSystemd();
  if (missing) return t.skip(missing);
  const ran = await runService({ policy: POLICY, dropIn: DROP_IN, look: LOOK });
  if ('skip' in ran) return t.skip(ran.skip);
  const { answers, log } = ran;
  const said = (name: string) => (answers.get(name) ?? '').trim();
  assert.ok(answers.has('done'), `the script came to its end: ${log}\n${said('look.err')}`);

  assert.match(said('show'), /^ActiveState=active$/m);
  assert.match(said('show'), /^StatusText=guards system, enforcing; warn: available <= 0\.15 %; SIGTERM: /m);
  assert.match(said('status'), /^Seccomp:\s*2$/m);
  assert.match(said('status'), /^NoNewPrivs:\s*1$/m);
  const wanted = had.reduce((sum, [, bit]) => sum | (1n << BigInt(bit)), 0n);
  assert.equal(BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(said('status'))![1]}`), wanted);
  assert.deepEqual(said('places').split('\n'), [
    'badness 600 /run/badness/control.sock',
    'badness 700 /var/lib/badness',
  ]);

  const asked = JSON.parse(said('asked'));
  assert.deepEqual([asked.outcome, asked.kill.path, asked.kill.sharers.method], ['released', 'pidfd', 'kcmp']);
  assert.equal(asked.victim.rules[0]?.effect, 'class first', 'exe can be read');
  assert.deepEqual(asked.kill.errors, []);
  assert.equal(said('asked-end'), '143');

  const forced = JSON.parse(said('forced'));
  assert.equal(forced.outcome, 'released');
  assert.ok(forced.kill.threads_raised > 0, 'the victim was hurried');
  assert.ok([null, 'ESRCH', 'EAGAIN'].includes(forced.kill.mrelease.last_error), forced.kill.mrelease.last_error);
  assert.deepEqual(forced.kill.errors, []);
  assert.equal(said('forced-end'), '137');

  assert.equal(said('told'), '0\n0', 'oom_score_adj of a program, and nothing of systemd in its environment');
  assert.match(said('outside'), /No such file/);

  assert.equal(said('protect'), '');
  if (hasResource) assert.equal(said('protected-adj'), '-1000');
  assert.equal(said('state'), 'protected.json');
  assert.match(said('reloaded'), /^ActiveState=active$/m);
  assert.match(said('reloaded'), /^StatusText=.*SIGTERM: available <= 0\.2 %/m);
  assert.match(said('reloaded'), new RegExp(`^${said('reload')}$`, 'm'), 'the same process');
  assert.deepEqual(said('after-hang').split('\n').sort(), ['ActiveState=active', 'NRestarts=1']);
  assert.equal(said('restored-adj'), '0');
  assert.match(said('ctl'), /^badness \S+ guards system, pid \d+; enforcing/);
  assert.deepEqual(said('stopped').split('\n').sort(), ['ActiveState=inactive', 'ExecMainStatus=0', 'Result=success']);
  t.diagnostic(hasResource ? 'with CAP_SYS_RESOURCE' : 'without CAP_SYS_RESOURCE, which this machine does not have');
});
