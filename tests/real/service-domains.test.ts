// A policy of several domains under a systemd of the test's own: badness.service refuses it by name, and a guard for each is started from the
// same unit by the drop-in that is shipped. Nobody is killed.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { DROP_IN, noSystemd, runService } from './support/own-systemd.js';

const POLICY = `version = 1
thresholds.term.available = "0.1%"
panic = { end = "reboot", allow_reboot = true }

[[domain]]
of = "system"

[[domain]]
of = { numa_node = 0 }
thresholds.term.available = "0.2%"
`;

const LOOK = `
state() { BADNESS_CONTROL=/run/badness/$1/control.sock badness ctl state; }
for i in $(seq 600); do systemctl is-failed -q badness && break; sleep 0.1; done
systemctl show badness -p ExecMainStatus -p NRestarts > $SCENE/whole
systemctl start badness@system badness@node:0
for one in system node:0; do
  systemctl show badness@$one -p ActiveState -p StatusText
  stat -c '%U %a %n' /run/badness/$one/control.sock /var/lib/badness/$one
done > $SCENE/show 2>&1
sleep 100 & S=$!
BADNESS_CONTROL=/run/badness/system/control.sock badness ctl protect $S
ls /var/lib/badness/* > $SCENE/kept
BADNESS_CONTROL=/run/badness/system/control.sock badness ctl state --json > $SCENE/state
systemctl stop badness@system
(state system; state node:0) > $SCENE/left 2>&1
touch $SCENE/done
`;

test('service: a guard for each domain of a policy, each with its own socket and state', async (t) => {
  const missing = existsSync('/sys/devices/system/node/node0') ? noSystemd() : 'no NUMA node is told of';
  if (missing) return t.skip(missing);
  const ran = await runService({ policy: POLICY, dropIn: DROP_IN, look: LOOK });
  if ('skip' in ran) return t.skip(ran.skip);
  const { answers, log } = ran;
  const said = (name: string) => (answers.get(name) ?? '').trim().split('\n');
  assert.ok(answers.has('done'), `the script came to its end: ${log}\n${answers.get('look.err')}`);
  assert.deepEqual(said('whole').sort(), ['ExecMainStatus=2', 'NRestarts=0']);
  const lines = said('show').map((line) =>
    line.replace(/^(StatusText=guards [^,]+,).*SIGTERM: available <= (\S+).*/, '$1 $2'),
  );
  assert.deepEqual(lines.sort(), [
    'ActiveState=active',
    'ActiveState=active',
    'StatusText=guards node 0, 0.2',
    'StatusText=guards system, 0.1',
    'badness 600 /run/badness/node:0/control.sock',
    'badness 600 /run/badness/system/control.sock',
    'badness 700 /var/lib/badness/node:0',
    'badness 700 /var/lib/badness/system',
  ]);
  assert.deepEqual(said('kept'), ['/var/lib/badness/node:0:', '', '/var/lib/badness/system:', 'protected.json']);
  assert.match(
    said('state')[0]!,
    /panic\.end is reboot, and \S+ cannot be written \(E\w+\): .* ProtectKernelTunables=no/,
  );
  assert.match(said('left')[0]!, /control\.sock/);
  assert.match(said('left')[1]!, /guards node 0, pid \d+; dry run/);
});
