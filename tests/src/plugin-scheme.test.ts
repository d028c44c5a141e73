// A user's scheme in its thread, as it is shipped (dist/linux.js): what it answers counts; whatever it does instead, the fallback decides.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { selectTask } from '../../src/rank.js';
import { loadTasks } from '../../src/task.js';
import { PATIENCE_MS } from './support/patience.js';
import { eachTask, moduleFile, points, wasmFile, wat } from './support/plugin-modules.js';
import { DEADLINE_MS, MACHINE, type Opened, opened } from './support/plugin-scene.js';

const PAUSE_MS = 10_000;
/** What a busy machine may add. */
const SLOW_MS = 10_000;
const BY_FALLBACK = [Number.NaN, 300, 200, 100];

/** Asks again and again until there is another answer than `reason`: a thread ends, and another one starts, in their own time. */
async function asked({ ask }: Opened, isIt: (reason: string | null) => boolean): Promise<string | null> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const { reason } = ask();
    if (isIt(reason)) return reason;
    await new Promise((soon) => setTimeout(soon, 10));
  }
  throw new Error('not seen');
}

describe('plug-in: what it answers counts', () => {
  test('a module of WebAssembly: rows that may be chosen only, rounded down, before whoever had most', async (t) => {
    const wasm = wasmFile(t, wat({ score: eachTask('(f64.add (f64.const 0.5) (f64.convert_i32_u (local.get $i)))') }));
    const scene = await opened(t, { wasm });
    assert.deepEqual(scene.ask(), { reason: null, points: [Number.NaN, 0, 1, 2] });
    const { slot } = selectTask(scene.engine, { scheme: 'resident' });
    assert.equal(scene.engine.u32(L.C_ID, slot), 302);
    assert.deepEqual([scene.plugin.pointsOf(slot), scene.plugin.pointsOf(0)], [2, null]);
    assert.deepEqual(scene.told, []);
    const { state, answered, fallbacks, restarts } = scene.plugin.state;
    assert.deepEqual([state, answered, fallbacks, restarts], ['ready', 1, 0, 0]);
  });

  test('a function of a module: every field of the task and of the machine, under the names of the library', async (t) => {
    const body = `
      const seen = JSON.stringify({ ...task, machine });
      if (task.tgid === 301) throw new Error(seen);
      return 1;`;
    const scene = await opened(t, { module: moduleFile(t, points(body)), export: 'points' });
    const { reason } = scene.ask();
    assert.match(reason!, /^Error: \{"points":200,"totalVmPages":1000,"rssPages":200,/);
    const seen = JSON.parse(reason!.slice('Error: '.length));
    assert.deepEqual(
      [seen.tgid, seen.ppid, seen.nice, seen.comm, seen.startTimeTicks, seen.oomScoreAdj],
      [301, 1, 1, 'task-1', 90_000, 0],
    );
    assert.deepEqual(seen.machine, { totalPages: 100_000, pageSize: 4096, hz: 100, uptimeS: 1000, tasks: 3 });
  });

  test('nothing to be chosen from is asked about too, and changes nothing', async (t) => {
    const scene = await opened(t, { wasm: wasmFile(t, wat()) });
    loadTasks(scene.engine, [{ tgid: 1, rssPages: 5 }], MACHINE);
    assert.deepEqual(scene.ask(), { reason: null, points: [Number.NaN] });
  });
});

describe('plug-in: whatever it does instead of answering, the fallback scheme decides', () => {
  const inModules: [what: string, body: string, reason: RegExp][] = [
    ['loops for ever', 'for (;;);', /^did not answer within 1000 ms$/],
    ['throws', 'throw new RangeError("not\\ntoday\\u001b[31m");', /^RangeError: not today \[31m$/],
    ['throws what cannot be told', 'throw { toString() { throw 1; } };', /^threw what cannot be told$/],
    [
      'returns a promise',
      'return Promise.resolve(1);',
      /^BadnessError: points of a task must be a number, got a promise$/,
    ],
    ['returns text', 'return "7";', /must be a number, got string$/],
    ['returns nothing', '', /must be a number, got undefined$/],
    ['answers NaN', 'return Number.NaN;', /^points must be 0\.\.2\^53, got NaN for task 300$/],
    ['answers infinity', 'return task.tgid === 302 ? Infinity : 1;', /got Infinity for task 302$/],
    ['answers below zero', 'return -1;', /got -1 for task 300$/],
    ['answers too much', 'return 2 ** 54;', /got 18014398509481984 for task 300$/],
    ['ends its thread', 'process.exit(0);', /^did not answer within 1000 ms$|^its thread has ended$/],
    ['takes all memory', 'const all = []; for (;;) all.push(new Array(1e5).fill(task));', /did not answer|memory/],
  ];
  for (const [what, body, reason] of inModules) {
    test(`a function that ${what}`, async (t) => {
      const scene = await opened(t, { module: moduleFile(t, points(body)), export: 'points' });
      const began = performance.now();
      const first = scene.ask();
      assert.ok(performance.now() - began < DEADLINE_MS + SLOW_MS, 'nobody waits much longer than the deadline');
      assert.match(first.reason!, reason);
      assert.deepEqual(first.points, BY_FALLBACK);
      assert.match(scene.ask().reason!, /not started again yet/);
      const { state, answered, fallbacks, lastError } = scene.plugin.state;
      assert.deepEqual([state, answered, fallbacks, lastError], ['waiting', 0, 2, first.reason]);
      assert.deepEqual(scene.told, [first.reason], 'said once, not round after round');
    });
  }

  const inWasm: [what: string, parts: Parameters<typeof wat>[0], reason: RegExp][] = [
    ['loops for ever', { score: '(loop $l (br $l)) (i32.const 0)' }, /^did not answer within 1000 ms$/],
    ['traps', { score: '(unreachable)' }, /^RuntimeError: unreachable$/],
    [
      'runs out of stack',
      { score: '(call $again)', more: '(func $again (result i32) (call $again) (drop) (call $again))' },
      /RangeError|did not answer/,
    ],
    ['says that it failed', { score: '(i32.const 7)' }, /^Error: score_batch answered 7 instead of 0$/],
    ['answers NaN', { score: eachTask('(f64.const nan)') }, /got NaN for task 300$/],
    ['answers below zero', { score: eachTask('(f64.const -0.5)') }, /got -0\.5 for task 300$/],
    [
      'has no room for so many',
      {
        reserve:
          '(func (export "reserve") (param i32) (result i32) (if (result i32) (i32.eq (local.get 0) (i32.const 1)) (then (i32.const 1024)) (else (i32.const 0))))',
      },
      /reserve has no room for 3 tasks$/,
    ],
    [
      'puts the region beyond its memory',
      {
        reserve:
          '(func (export "reserve") (param i32) (result i32) (if (result i32) (i32.eq (local.get 0) (i32.const 1)) (then (i32.const 1024)) (else (i32.const -8))))',
      },
      /its memory ends at 262144$/,
    ],
  ];
  for (const [what, parts, reason] of inWasm) {
    test(`a WebAssembly module that ${what}`, async (t) => {
      const scene = await opened(t, { wasm: wasmFile(t, wat(parts)) });
      const first = scene.ask();
      assert.match(first.reason!, reason);
      assert.deepEqual(first.points, BY_FALLBACK);
      assert.equal(scene.plugin.state.state, 'waiting');
    });
  }

  test('memory that is grown to its end goes no further than declared, and the answer counts', async (t) => {
    const score =
      '(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (i32.ne (memory.size) (i32.const 64))';
    const scene = await opened(t, { wasm: wasmFile(t, wat({ score })) });
    assert.deepEqual(scene.ask(), { reason: null, points: BY_FALLBACK });
  });
});

describe('plug-in: a thread that was killed', () => {
  const late = points('if (task.points === 300) for (;;); return 5;');

  test('is started again after a pause, by whoever chooses then, and is not waited for', async (t) => {
    const scene = await opened(t, {
      module: moduleFile(t, points('if (machine.totalPages > 0) throw 1; return 5')),
      export: 'points',
    });
    scene.ask();
    scene.clock.ms = PAUSE_MS - 1;
    for (let time = 0; time < 20; ++time) assert.match(scene.ask().reason!, /not started again yet/);
    scene.clock.ms = PAUSE_MS;
    assert.equal(await asked(scene, (reason) => reason === 'starting'), 'starting');
    assert.equal(scene.plugin.state.restarts, 1);
    await asked(scene, (reason) => reason === '1');
    // Twice as long after the second time.
    scene.clock.ms = 3 * PAUSE_MS - 1;
    assert.match(scene.ask().reason!, /not started again yet/);
    scene.clock.ms = 3 * PAUSE_MS;
    await asked(scene, (reason) => reason === 'starting');
    assert.equal(scene.plugin.state.restarts, 2);
  });

  test('is no reason for a round to fail when there is neither memory nor a thread for another', async (t) => {
    const scene = await opened(t, { module: moduleFile(t, points('throw 1')), export: 'points' });
    scene.ask();
    scene.clock.ms = PAUSE_MS;
    const { SharedArrayBuffer: whole } = globalThis;
    t.after(() => Object.assign(globalThis, { SharedArrayBuffer: whole }));
    const refuse = function refuse() {
      throw new RangeError('Array buffer allocation failed');
    };
    Object.assign(globalThis, { SharedArrayBuffer: refuse });
    const why = 'cannot be started again: Array buffer allocation failed';
    await asked(scene, (reason) => reason === why);
    assert.match(scene.ask().reason!, /not started again yet/);
    Object.assign(globalThis, { SharedArrayBuffer: whole });
    assert.equal(scene.told.at(-1), why);
    scene.clock.ms = 3 * PAUSE_MS;
    await asked(scene, (reason) => reason === 'starting');
  });

  test('that answers again says so once', async (t) => {
    const scene = await opened(t, { module: moduleFile(t, late), export: 'points' });
    assert.match(scene.ask().reason!, /did not answer/);
    // Nobody with 300 points any more.
    loadTasks(scene.engine, [{ tgid: 400, ppid: 1, rssPages: 7, totalVmPages: 7 }], MACHINE);
    scene.clock.ms = PAUSE_MS;
    await asked(scene, (reason) => reason === null);
    assert.deepEqual(scene.ask(), { reason: null, points: [5] });
    assert.deepEqual(scene.told, ['did not answer within 1000 ms', null]);
    const { state, lastError } = scene.plugin.state;
    assert.deepEqual([state, lastError], ['ready', 'did not answer within 1000 ms']);
  });

  test('ten times within an hour is not started again', async (t) => {
    const scene = await opened(t, { module: moduleFile(t, points('throw 1')), export: 'points' });
    for (let killed = 1; killed < 10; ++killed) {
      await asked(scene, (reason) => reason === '1');
      scene.clock.ms += 300_000;
    }
    await asked(scene, (reason) => reason === '1');
    scene.clock.ms += 3_600_000;
    assert.match(scene.ask().reason!, /^killed 10 times within an hour, and not started again$/);
    assert.deepEqual([scene.plugin.state.state, scene.plugin.state.restarts], ['off', 9]);
  });
});
