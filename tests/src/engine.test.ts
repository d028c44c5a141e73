/** Opening an engine, sharing its memory, and the typed calls over it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { decodeComm, encodeComm } from '../../src/comm.js';
import { decide } from '../../src/decision.js';
import { type Engine, type EngineBuild, openEngine } from '../../src/engine.js';
import { BadnessError } from '../../src/errors.js';
import { SCHEMES } from '../../src/schemes.js';
import { beginSnapshot, loadTasks, MACHINE_DEFAULTS, putTask, taskAt } from '../../src/task.js';
import type { Parameters, Table } from '../reference/table.js';
import type { Abi } from './support/builds.js';
import { Driver } from './support/driver.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { parameters, someFlags, tiedTable, wideTable } from './support/tables.js';

const BUILDS: EngineBuild[] = ['shared', 'baseline'];
const machine = { ...MACHINE_DEFAULTS, uptimeS: 1000 };

const isAbi = (error: unknown) => error instanceof BadnessError && error.code === 'EABI';

for (const build of BUILDS) {
  test(`engine (${build}): maxTasks is 1 … 1,048,576, rounded up to columns of 64`, async () => {
    for (const maxTasks of [0, -1, 1.5, 1048577, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(
        openEngine({ build, maxTasks }),
        new RegExp(`RangeError: maxTasks .* 1..1048576, got ${maxTasks}`),
      );
    }
    for (const [maxTasks, capacity] of [
      [1, 64],
      [64, 64],
      [65, 128],
      [1000, 1024],
    ] as const) {
      assert.equal((await openEngine({ build, maxTasks })).capacity, capacity);
    }
    assert.equal((await openEngine({ build })).capacity, 16384, 'by default');
  });

  test(`engine (${build}): threads 0 … 15 have windows of their own`, async () => {
    for (const thread of [-1, 16, 0.5]) {
      await assert.rejects(openEngine({ build, thread }), new RegExp(`RangeError: thread .* 0..15, got ${thread}`));
    }
    const windows = [];
    for (const thread of [0, 1, 15]) windows.push((await openEngine({ build, maxTasks: 1, thread })).window);
    assert.deepEqual(
      windows,
      [0, 1, 15].map((thread) => L.WINDOWS + thread * L.WINDOW_BYTES),
    );
  });

  test(`engine (${build}): the caller may bring the module, but not that of another build`, async () => {
    const file = { shared: 'dist/badness.wasm', baseline: 'dist/badness.baseline.wasm' };
    const other = build === 'shared' ? 'baseline' : 'shared';
    const engine = await openEngine({ build, maxTasks: 1, module: new WebAssembly.Module(readFileSync(file[build])) });
    loadTasks(engine, [{ tgid: 5 }], machine);
    assert.equal(taskAt(engine, 0).tgid, 5);
    await assert.rejects(openEngine({ build, module: new WebAssembly.Module(readFileSync(file[other])) }), isAbi);
  });

  test(`engine (${build}): a snapshot is whole: odd while it is written, current when it is published`, async () => {
    const engine = await openEngine({ build, maxTasks: 1 });
    loadTasks(engine, [{ tgid: 5, comm: 'before' }], machine);
    const bytes = L.SNAPSHOT_HEADER_BYTES + L.COLUMNS_BYTES * engine.capacity;
    const version = (index: number) => engine.view.getUint32(L.TASKS + index * bytes + L.S_VERSION, true);
    const sequence = () => engine.view.getUint32(L.H_SEQUENCE, true);
    for (let round = 0; round < 4; ++round) {
      const current = engine.view.getUint32(L.H_CURRENT, true);
      const before = [version(current), version(1 - current), sequence()] as const;
      assert.deepEqual([before[0] % 2, before[1] % 2], [0, 0]);
      beginSnapshot(engine, machine);
      putTask(engine, { tgid: 6, comm: 'after' });
      assert.equal(version(1 - current) % 2, 1);
      assert.deepEqual(
        [engine.count, version(current), sequence()],
        [1, before[0], before[2]],
        'readers see nothing of it',
      );
      assert.equal(taskAt(engine, 0).comm, round === 0 ? 'before' : 'after');
      engine.abi.table_publish();
      assert.ok(version(1 - current) % 2 === 0 && version(1 - current) > before[1]);
      assert.deepEqual([engine.view.getUint32(L.H_CURRENT, true), sequence()], [1 - current, before[2] + 1]);
    }
  });

  test(`engine (${build}): a comm goes through a column byte for byte`, async () => {
    const engine = await openEngine({ build, maxTasks: 1 });
    const property = fc.property(comms, (bytes) => {
      loadTasks(engine, [{ tgid: 5, comm: decodeComm(bytes) }], machine);
      const at = engine.cell(L.C_COMM, 0, L.COMM_BYTES);
      assert.deepEqual([...engine.bytes.slice(at, at + bytes.length + 1)], [...bytes, 0]);
      assert.equal(taskAt(engine, 0).comm, decodeComm(bytes));
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
  });
}

test('engine: another thread has to bring a memory that fits', async () => {
  const { memory } = await openEngine({ build: 'shared', maxTasks: 64 });
  await assert.rejects(openEngine({ build: 'baseline', memory, maxTasks: 64 }), TypeError);
  await assert.rejects(
    openEngine({ memory: new WebAssembly.Memory({ initial: 99, maximum: 65536 }) }),
    TypeError,
    'not shared',
  );
  await assert.rejects(openEngine({ memory, maxTasks: 128 }), isAbi, 'of another capacity');
  for (const initial of [1, 20]) {
    const small = new WebAssembly.Memory({ initial, maximum: 65536, shared: true });
    await assert.rejects(openEngine({ memory: small, maxTasks: 64 }), isAbi, 'too small');
  }
  for (const [offset, value] of [
    [L.H_ABI, L.ABI_VERSION + 1],
    [L.H_MAGIC, 0x12345678],
  ] as const) {
    const foreign = await openEngine({ build: 'shared', maxTasks: 64 });
    foreign.view.setUint32(offset, value, true);
    await assert.rejects(openEngine({ memory: foreign.memory, maxTasks: 64 }), isAbi, 'of another version');
  }
});

test('engine: two instances over one memory see one table, and decide alike', async () => {
  const one = await openEngine({ build: 'shared', maxTasks: 100 });
  const two = await openEngine({ memory: one.memory, maxTasks: 100, thread: 1 });
  for (const [writer, reader] of [
    [one, two],
    [two, one],
  ] as const) {
    const tasks = Array.from({ length: 100 }, (_, index) => ({
      tgid: 10 + index,
      rssPages: (index * 7919) % 101,
      comm: `c${index}`,
    }));
    loadTasks(writer, tasks, machine);
    assert.equal(reader.count, 100);
    assert.deepEqual(taskAt(reader, 99), taskAt(writer, 99));
    const choice = (engine: Engine) => decide(engine, { scheme: 'resident' }).order;
    assert.deepEqual(choice(reader), choice(writer));
    assert.notEqual(one.window, two.window);
  }
});

/** Any bytes but NUL, as many as a comm has, and some that look like characters. */
const comms = fc
  .array(
    fc.oneof(
      fc.integer({ min: 1, max: 255 }).map((byte) => [byte]),
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 1 })
        .map((character) => [...new TextEncoder().encode(character)].filter((byte) => byte !== 0)),
    ),
    { maxLength: 15 },
  )
  .map((parts) => Uint8Array.from(parts.flat().slice(0, L.COMM_BYTES - 1)));

test('comm: decoding and encoding lose no byte', () => {
  const examples: [Uint8Array<ArrayBuffer>][] = [
    [[0xef, 0xbb, 0xbf, 0x61]],
    [[0x61, 0xef, 0xbb, 0xbf]],
    [[0xed, 0xb2, 0x80]],
    [[0xc0, 0x80]],
    [[0xf4, 0x90, 0x80, 0x80]],
    [[0xff, 0xfe]],
    [[0xf0, 0x9f, 0x99]],
    [[]],
  ].map(([bytes]) => [Uint8Array.from(bytes!)]);
  const property = fc.property(comms, (bytes) => {
    const into = new Uint8Array(L.COMM_BYTES);
    encodeComm(decodeComm(bytes), into);
    assert.deepEqual([...into.subarray(0, bytes.length + 1)], [...bytes, 0]);
  });
  fc.assert(property, { seed: SEED, numRuns: RUNS * 5, examples });
});

/** Decides in every scheme. Returns the records as the ring holds them. */
function records(engine: Engine, table: Table, given: Parameters): Buffer[] {
  const driver = new Driver({ abi: engine.abi as unknown as Abi, memory: engine.memory });
  driver.load(table);
  return SCHEMES.map((_, scheme) => {
    // Leaves the parameters in the window, where the record takes them from.
    driver.score(scheme, given);
    const sequence = engine.view.getUint32(L.H_DECISIONS, true);
    const outcome = engine.abi.select(engine.window, scheme);
    engine.abi.decision_write(engine.window, scheme, 0, outcome);
    const at = L.DECISIONS + (sequence % L.DECISIONS_MAX) * L.DECISION_BYTES;
    assert.equal(engine.view.getInt32(at + L.R_OUTCOME, true), outcome);
    return Buffer.from(engine.bytes.slice(at, at + L.DECISION_BYTES));
  });
}

test('engine: decision records are the same bytes in every build and capacity', async (t) => {
  const engines: Engine[] = [];
  for (const build of BUILDS) for (const maxTasks of [64, 1024]) engines.push(await openEngine({ build, maxTasks }));
  const tables = fc.oneof(wideTable, tiedTable(someFlags));
  const outcomes = new Map<string, number>();
  const property = fc.property(tables, parameters, (table, given) => {
    const [first, ...others] = engines.map((engine) => records(engine, table, given));
    for (const other of others) assert.deepEqual(other, first);
    for (const record of first!) {
      const outcome = record.readInt32LE(L.R_OUTCOME) >= 0 ? 'victim' : String(record.readInt32LE(L.R_OUTCOME));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  });
  fc.assert(property, { seed: SEED, numRuns: RUNS });
  t.diagnostic(`seed ${SEED}: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  assert.deepEqual([...outcomes.keys()].sort(), [String(L.E_NO_VICTIM), String(L.E_IN_FLIGHT), 'victim'].sort());
});
