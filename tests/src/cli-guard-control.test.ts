// The control socket of badness guard, as it is shipped: where it is, whom it refuses, what is left after a crash.
import assert from 'node:assert/strict';
import { chownSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { badness } from './support/badness.js';
import { get, within } from './support/control-scene.js';
import { ctl, type Ids, plainUser, sleeper, start, startGuard } from './support/guard-run.js';
import { ownFolder } from './support/own-folder.js';

const skip = process.platform !== 'linux' && 'needs Linux';

/** A runtime directory of a user, and an environment that names none. */
function userPlace(t: TestContext, { uid, gid }: Ids) {
  const { BADNESS_CONTROL: _, XDG_RUNTIME_DIR: __, ...env } = process.env;
  const runtime = ownFolder(t);
  if (uid !== undefined && gid !== undefined) chownSync(runtime, uid, gid);
  return { env, runtime };
}

describe('guard: its control socket', { skip }, () => {
  test('a second guard of the domain is refused by the name of the first', async (t) => {
    const { path, child } = await startGuard(t);
    const { status, stderr } = badness(['guard', '--control', path]);
    assert.equal(status, 15);
    assert.equal(
      stderr,
      `badness: the guard of system, pid ${child.pid}, listens at ${path} already; --control PATH names another place, --control none does without\n`,
    );
  });

  test('it is said at start, is gone at the end, and after SIGKILL the next guard takes the place', async (t) => {
    const guard = await startGuard(t);
    const { path } = guard;
    assert.match(guard.text, new RegExp(`control: ${path}, mode 0600`));
    guard.child.kill('SIGKILL');
    await guard.exit;
    assert.ok(existsSync(path));
    const next = start(t, ['guard', '-r', '0', '--domain', 'system', '--control', path]);
    await next.until(/control: /);
    assert.equal(await next.stop(), 0);
    assert.deepEqual(readdirSync(join(path, '..')), []);
  });

  test('a user has it in XDG_RUNTIME_DIR; without one the guard does without and says so', async (t) => {
    const user = plainUser();
    if (user === null) return t.skip('no plain user can read dist/');
    const { env, runtime } = userPlace(t, user);
    const guard = start(t, ['guard', '-r', '0'], { ...env, XDG_RUNTIME_DIR: runtime }, user);
    await guard.until(/control: .*\n/);
    assert.equal((await get(join(runtime, 'badness', 'control.sock'), '/oom')).status, 200);
    await guard.stop();
    const without = start(t, ['guard', '-r', '0'], env, user);
    await without.until(/no control socket: XDG_RUNTIME_DIR is not set/);
    await without.stop();
  });

  test('at the usual place a guard of the same domain is refused, one of another goes on without', async (t) => {
    const user = plainUser();
    if (user === null) return t.skip('no plain user can read dist/');
    const { env, runtime } = userPlace(t, user);
    const inPlace = { ...env, XDG_RUNTIME_DIR: runtime };
    const first = start(t, ['guard', '-r', '0', '--domain', 'system'], inPlace, user);
    await first.until(/control: .*\n/);
    const second = start(t, ['guard', '-r', '0', '--domain', 'system'], inPlace, user);
    assert.equal(await within(second.exit), 15);
    assert.match(
      second.errors,
      new RegExp(`^badness: the guard of system, pid ${first.child.pid}, listens at [^\n]+\n$`),
    );
    if (!existsSync('/sys/devices/system/node/node0')) return;
    const other = start(t, ['guard', '-r', '0', '--domain', 'node:0'], inPlace, user);
    await other.until(new RegExp(`note: no control socket: the guard of system, pid ${first.child.pid}, listens at `));
    assert.equal(await other.stop(), 0);
    assert.equal((await get(join(runtime, 'badness', 'control.sock'), '/oom')).status, 200);
  });

  test('--control none, and BADNESS_CONTROL=none, are said; a place that was asked for and cannot be had is refused', async (t) => {
    const { BADNESS_CONTROL: _, ...env } = process.env;
    for (const [more, all] of [
      [['--control', 'none'], env],
      [[], { ...env, BADNESS_CONTROL: 'none' }],
    ] as const) {
      const guard = start(t, ['guard', '-r', '0', ...more], all);
      await guard.until(/note: no control socket: as asked/);
      assert.equal(await guard.stop(), 0);
    }
    const { status, stderr } = badness(['guard', '--control', '/nowhere/at/all/c.sock']);
    assert.equal(status, 15);
    assert.match(stderr, /^badness: ENOENT: .*; --control PATH names another place, --control none does without\n$/);
    assert.equal(
      badness(['guard', '--control', join(ownFolder(t), 'c.sock'), '--control-group', 'no such']).status,
      15,
    );
  });

  test('a policy file says where it is, with which permissions, and for whom; options go before it', async (t) => {
    const { BADNESS_CONTROL: _, ...env } = process.env;
    const folder = ownFolder(t);
    const file = join(folder, 'policy.toml');
    const own = `"${join(folder, 'own.sock')}"`;
    const settings = `version = 1\n[control]\nsocket = ${own}\nmode = "0660"\nself_protect = true\n`;
    writeFileSync(file, settings);
    const guard = start(t, ['guard', '-r', '0', '--policy', file], env);
    await guard.until(/control: .*own\.sock, mode 0660;/);
    // Root or the user of the guard, whom the mode lets in.
    assert.match((await get(join(folder, 'own.sock'), '/oom_kill_protection/self')).body, /^0\n$|^ENOSYS/);
    await guard.stop();
    const other = start(t, ['guard', '-r', '0', '--policy', file, '--control', join(folder, 'other.sock')], env);
    await other.until(/control: .*other\.sock, mode 0660;/);
    await other.stop();
    writeFileSync(file, settings.replace(own, '"off"'));
    const off = start(t, ['guard', '-r', '0', '--policy', file], env);
    await off.until(/note: no control socket: as asked/);
    await off.stop();
  });

  test('what protection has changed in the kernel is put back by the next guard after a crash', async (t) => {
    const guard = await startGuard(t);
    const { path } = guard;
    const pid = sleeper(t);
    const adj = () => readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1').trim();
    const before = adj();
    await ctl(path, 'protect', String(pid));
    const state = JSON.parse(readFileSync(`${path}.protected.json`, 'utf8'));
    guard.child.kill('SIGKILL');
    await guard.exit;
    if (adj() === before)
      assert.equal(
        state.tasks.every(({ tgid }: { tgid: number }) => tgid === pid),
        true,
      );
    const next = start(t, ['guard', '-r', '0', '--domain', 'system', '--control', path]);
    await next.until(/control: /);
    assert.equal(adj(), before);
    assert.equal(existsSync(`${path}.protected.json`), false);
    await next.stop();
  });
});
