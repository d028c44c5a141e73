// A plain user in a user and a mount namespace of its own: what it can make of what rules ask for, seen by a guard outside.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngine } from '../../src/index.js';
import { readTasks } from '../../src/linux/index.js';
import { liveFiles } from '../../src/linux/live-files.js';
import { ProcTexts } from '../../src/proc/rule-texts.js';
import { rankTasks } from '../../src/rank.js';
import { makeGroup, v1Top, v2Top } from './support/hog.js';

const NOBODY = 65534;
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
/** A program that every machine has, and that nobody may write to. */
const TRUSTED = '/usr/bin/env';

function skipped(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root';
  const [file, ...args] = [...AS_NOBODY, 'unshare', '--map-root-user', '--mount', 'true'];
  const { status, stderr, error } = spawnSync(file!, args, { encoding: 'utf8' });
  return status === 0 ? false : `no user namespaces for plain users: ${error?.message ?? stderr.trim()}`;
}

test('user namespace: exe, comm, arguments and capabilities are what a tenant wants them to be; user and cgroups are not', {
  skip: skipped(),
  timeout: 60_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'badness-userns-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const evil = join(folder, 'evil');
  copyFileSync(process.execPath, evil);
  chmodSync(evil, 0o755);
  const code = "process.title = 'postgres: x'; process.stdin.resume(); process.stdout.write('ready')";
  const script = `mount --bind ${evil} ${TRUSTED} && exec ${TRUSTED} -e "${code}"`;
  const [file, ...args] = [...AS_NOBODY, 'unshare', '--map-root-user', '--mount', 'sh', '-c', script];
  const child = spawn(file!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  await once(child.stdout, 'data');

  const texts = new ProcTexts(liveFiles);
  const read = (condition: 'exe' | 'cmdline' | 'cgroup', pid = child.pid!) => texts.read(pid, 1, condition);
  assert.deepEqual(read('exe'), [TRUSTED], 'forged: the path in its own mounts');
  assert.match(read('cmdline')![0]!, /^postgres: x/, 'forged');
  assert.deepEqual(read('cgroup'), read('cgroup', process.pid), 'where it was put');

  const engine = await openEngine({ maxTasks: 8192 });
  readTasks(engine);
  const { ranked } = rankTasks(engine, { scheme: 'badness' });
  const { comm, uid, euid, capEff } = ranked.find(({ tgid }) => tgid === child.pid)!;
  assert.equal(comm, 'postgres: x', 'forged');
  assert.match(capEff ?? '', /^[0-9a-f]*1ffffffffff$|f{9}$/, 'forged: those of its own namespace');
  assert.deepEqual([uid, euid], [NOBODY, NOBODY], 'who it is outside');
});

test('cgroup: a name may hold escape codes and colons, but no line break: it cannot make a line of /proc/PID/cgroup', (t) => {
  const found = [v1Top(), v2Top(false)].find((place) => 'top' in place);
  if (!found || !('top' in found)) return t.skip('no cgroups that this user may make');
  const group = makeGroup(t, found.top, 'named');
  mkdirSync(join(group, 'a:\x1b[2J'));
  assert.throws(() => mkdirSync(join(group, 'a\n0::b')), { code: 'EINVAL' });
});
