// SIGHUP: the guard reads its policy file again. Dry: nobody is signalled.
import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { get, within } from './support/control-scene.js';
import { ctl, type Run, sleeper, start } from './support/guard-run.js';
import { ownFolder } from './support/own-folder.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const HEAD = 'version = 1\ndomain = "system"\n';
/** Never reached: memory that is all used up is that of nobody's machine. */
const CALM = `${HEAD}thresholds.term.available = "1B"\nthresholds.kill.available = "1B"\nthresholds.warn.available = "1B"\n`;
const SHORT = `${HEAD}[thresholds]\nterm = { available = "100%", swap_free = "100%" }\nkill.available = "0%"\n`;

interface Reloaded extends Run {
  readonly file: string;
  readonly path: string;
  /** Writes the file and sends SIGHUP; resolves when as many policies were taken and refused. */
  hangUp(text: string, counts: { taken: number; refused: number }): Promise<StateRecord>;
}

interface StateRecord {
  readonly reloads: { readonly taken: number; readonly refused: number; readonly last_error: string | null };
  readonly facts: { readonly scheme: string; readonly thresholds: { readonly term: { readonly available: object } } };
  readonly gate: { readonly kind: string };
  readonly protected: number;
  readonly counters: { readonly readings: number };
}

async function stateOf(path: string): Promise<StateRecord> {
  return JSON.parse((await get(path, '/state')).body) as StateRecord;
}

async function guarded(t: TestContext, text: string, ...more: string[]): Promise<Reloaded> {
  const folder = ownFolder(t);
  const [file, path] = [join(folder, 'badness.toml'), join(folder, 'c.sock')];
  writeFileSync(file, text);
  const run = start(t, ['guard', '-r', '0', '--policy', file, '--control', path, ...more]);
  await run.until(/control: .*\n|"kind":"start"/);
  const hangUp: Reloaded['hangUp'] = async (next, counts) => {
    writeFileSync(file, next);
    run.child.kill('SIGHUP');
    const seen = async () => {
      for (;;) {
        const state = await stateOf(path);
        if (state.reloads.taken === counts.taken && state.reloads.refused === counts.refused) return state;
        await new Promise((look) => setTimeout(look, 10));
      }
    };
    return within(seen());
  };
  return Object.assign(run, { file, path, hangUp });
}

describe('guard: SIGHUP', { skip }, () => {
  test('a good file comes into force: thresholds, scheme, rules, gate; and it is said', async (t) => {
    const guard = await guarded(t, CALM);
    const gate = '\n[gate]\nkind = "rate"\ncalls = 3\n';
    const rule = '\n[[rule]]\ncomm = "no such"\nnever = true\n';
    const state = await guard.hangUp(`scheme = "resident"\n${SHORT}${gate}${rule}`, { taken: 1, refused: 0 });
    assert.deepEqual(
      [state.facts.scheme, state.facts.thresholds.term.available, state.gate.kind, state.reloads.last_error],
      ['resident', { percent: 100 }, 'rate', null],
    );
    await guard.until(/another policy is in force:\n.*dry run.*\n.*available <= 100 %.*\nscheme resident/);
    await guard.until(/would send SIGTERM/);
    const rank = JSON.parse((await get(guard.path, '/rank?limit=0')).body.split('\n')[0]!);
    assert.equal(rank.scheme, 'resident');
    // Back: it is calm again, and the round that follows does not come.
    const calm = await guard.hangUp(CALM, { taken: 2, refused: 0 });
    assert.deepEqual([calm.facts.scheme, calm.gate.kind], ['badness', 'level']);
    await guard.until(/calm: /);
    assert.equal(await guard.stop(), 0);
    assert.equal(guard.errors, '');
  });

  test('a bad file changes nothing: every error with file and line, counted in state and metrics', async (t) => {
    const guard = await guarded(t, CALM, '--json');
    const bad = `${CALM}max_discunt = 3\nscheme = "residents"\n`;
    const state = await guard.hangUp(bad, { taken: 0, refused: 1 });
    assert.equal(state.facts.scheme, 'badness');
    const lines = state.reloads.last_error!.split('\n');
    assert.equal(lines.length, 2, state.reloads.last_error!);
    assert.ok(lines[0]!.startsWith(`${guard.file}:6: max_discunt is not known`), lines[0]);
    assert.ok(lines[1]!.startsWith(`${guard.file}:7: scheme must be one of`), lines[1]);
    await guard.until(/"kind":"policy"/);
    const event = guard.text.split('\n').find((line) => line.includes('"policy"'))!;
    assert.equal(JSON.parse(event).error, state.reloads.last_error);

    await guard.hangUp('version = 1\ndomain = [', { taken: 0, refused: 2 });
    rmSync(guard.file);
    guard.child.kill('SIGHUP');
    await guard.until(/EPOLICYFILE|expected a policy file at/);
    const good = await guard.hangUp(`scheme = "resident"\n${CALM}`, { taken: 1, refused: 3 });
    assert.equal(good.facts.scheme, 'resident');
    assert.match((await ctl(guard.path, 'state')).stdout, /^policies since it began: 1 taken, 3 refused$/m);
    const metrics = (await get(guard.path, '/metrics')).body;
    assert.match(metrics, /^badness_policy_reloads_total 1$/m);
    assert.match(metrics, /^badness_policy_refused_total 3$/m);
    assert.match(metrics, /scheme="resident"/);
    assert.equal(await guard.stop(), 0);
  });

  test('another domain is refused by name; so is what the options of the command line make wrong', async (t) => {
    const guard = await guarded(t, CALM);
    const other = await guard.hangUp(CALM.replace('"system"', '{ numa_node = 0 }'), { taken: 0, refused: 1 });
    assert.match(other.reloads.last_error!, /^domain must stay "system" while the guard runs, got \{"numaNode":0\}/);
    await guard.until(/the policy is refused, the one before stays in force:\ndomain must stay "system"/);
    assert.equal(await guard.stop(), 0);
  });

  test('options of the command line go over the file again; the control settings are only read at start', async (t) => {
    const guard = await guarded(t, CALM, '--scheme', 'resident', '-m', '3');
    const state = await guard.hangUp(`${SHORT}\n[control]\nself_protect = true\n`, { taken: 1, refused: 0 });
    assert.deepEqual([state.facts.scheme, state.facts.thresholds.term.available], ['resident', { percent: 3 }]);
    await guard.until(/note: what the policy says of the control socket counts when the guard is started again/);
    assert.equal(await guard.stop(), 0);
  });

  test('who is protected, the queue, the counters and the decisions stay what they are', async (t) => {
    const guard = await guarded(t, SHORT);
    await guard.until(/would send SIGTERM/);
    const pid = sleeper(t);
    assert.equal((await ctl(guard.path, 'protect', String(pid))).status, 0);
    assert.equal((await ctl(guard.path, 'oom', String(pid))).status, 0);
    const decided = (await get(guard.path, '/decisions')).body;
    const before = await stateOf(guard.path);
    const after = await guard.hangUp(CALM, { taken: 1, refused: 0 });
    assert.deepEqual([after.protected, before.protected], [1, 1]);
    assert.ok(after.counters.readings >= before.counters.readings);
    assert.equal((await get(guard.path, '/oom')).body.trim(), String(pid));
    assert.ok((await get(guard.path, '/decisions')).body.startsWith(decided) && decided.length > 0);
    assert.equal(await guard.stop(), 0);
  });

  test('many in a row are read one after the other, and the last one counts', async (t) => {
    const guard = await guarded(t, CALM);
    for (let index = 0; index < 20; ++index) {
      writeFileSync(guard.file, index % 2 ? CALM : 'version = 2\n');
      guard.child.kill('SIGHUP');
    }
    writeFileSync(guard.file, `scheme = "resident"\n${CALM}`);
    guard.child.kill('SIGHUP');
    const settled = async () => {
      while ((await stateOf(guard.path)).facts.scheme !== 'resident') await new Promise((look) => setTimeout(look, 10));
    };
    await within(settled());
    assert.equal(await guard.stop(), 0);
    assert.equal(guard.errors, '');
  });

  test('no descriptor is left behind, however often', async (t) => {
    const guard = await guarded(t, CALM);
    const held = () => readdirSync(`/proc/${guard.child.pid}/fd`).length;
    await guard.hangUp(CALM, { taken: 1, refused: 0 });
    const before = held();
    for (let taken = 2; taken <= 10; ++taken) await guard.hangUp(CALM, { taken, refused: 0 });
    await guard.hangUp(CALM.replace('"system"', '{ numa_node = 1 }'), { taken: 10, refused: 1 });
    // One a task is kept on purpose; so many tasks more have come meanwhile at most.
    assert.ok(held() - before < 100, `${before} descriptors have become ${held()}`);
    assert.equal(await guard.stop(), 0);
  });

  test('without a policy file it ends the guard, as it ends every program', async (t) => {
    const guard = start(t, ['guard', '-r', '0', '--domain', 'system', '--control', 'none']);
    await guard.until(/no control socket: as asked/);
    guard.child.kill('SIGHUP');
    assert.equal(await within(guard.exit), null);
    assert.equal(guard.child.signalCode, 'SIGHUP');
  });
});
