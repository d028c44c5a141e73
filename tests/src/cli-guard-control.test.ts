// The control socket of badness guard, as it is shipped: where it is, whom it refuses, what is left after a crash.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { badness } from './support/badness.js';
import { get, ownFolder } from './support/control-scene.js';
import { ctl, sleeper, start, startGuard } from './support/guard-run.js';

const skip = process.platform !== 'linux' && 'needs Linux';

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

  test('a user has it in XDG_RUNTIME_DIR; without one, or without a place, the guard does without and says so', async (t) => {
    const { BADNESS_CONTROL: _, XDG_RUNTIME_DIR: __, ...env } = process.env;
    if (process.getuid?.() === 0) return t.skip('root has /run/badness');
    const runtime = ownFolder(t);
    const guard = start(t, ['guard', '-r', '0'], { ...env, XDG_RUNTIME_DIR: runtime });
    await guard.until(/control: .*\n/);
    assert.equal((await get(join(runtime, 'badness', 'control.sock'), '/oom')).status, 200);
    await guard.stop();
    const without = start(t, ['guard', '-r', '0'], env);
    await without.until(/no control socket: XDG_RUNTIME_DIR is not set/);
    await without.stop();
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

  test('what protection has changed in the kernel is put back by the next guard after a crash', async (t) => {
    const guard = await startGuard(t);
    const { path } = guard;
    const pid = sleeper(t);
    const adj = () => readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1').trim();
    const before = adj();
    await ctl(path, 'protect', String(pid));
    const state = JSON.parse(readFileSync(join(path, '..', 'protected.json'), 'utf8'));
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
    assert.equal(existsSync(join(path, '..', 'protected.json')), false);
    await next.stop();
  });
});
