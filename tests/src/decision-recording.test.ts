/** Decisions of a guard, kept whole and exported: a recording that replays to the same choice, points and hits of rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { decisions, recordDecision } from '../../src/decision.js';
import { type Engine, type EngineBuild, openEngine } from '../../src/engine.js';
import { DecisionRing } from '../../src/guard/decision-ring.js';
import type { Choice } from '../../src/guard/world.js';
import { openLinuxGuard } from '../../src/linux/open-linux-guard.js';
import { openRules } from '../../src/linux/rules.js';
import { ProcScanner } from '../../src/linux/scan.js';
import { definePolicy, type Policy, type PolicyInput } from '../../src/policy/policy.js';
import { rankedAt, scoreTasks, selectTask } from '../../src/rank.js';
import {
  decisionRecording,
  openRecordedChooser,
  parseRecording,
  policyRecorded,
  RecordedFiles,
  tasksMost,
} from '../../src/recording/index.js';
import { SCHEMES } from '../../src/schemes.js';
import { restoreSnapshot } from '../../src/snapshot-copy.js';
import { beginSnapshot, putStaged, stageTask, type Task } from '../../src/task.js';
import { FakeProc } from './support/fake-proc.js';
import fc from './support/fast-check.js';
import { roundOf } from './support/patient-round.js';

const MEMORY = { totalKib: 4_000_000, availableKib: 9, basisKib: 90, swapTotalKib: 0, swapFreeKib: 0 };
const BUILDS: EngineBuild[] = ['shared', 'baseline'];

const by = (policy: Policy, users = new Map<string, number>()) => ({
  policy,
  users,
  domain: 'system',
  madeBy: 'a test',
  kernel: null,
});

/** Replays an exported decision with the policy that stands in it. */
async function replayed(text: string, build: EngineBuild = 'shared') {
  const recording = parseRecording(text);
  const engine = await openEngine({ maxTasks: tasksMost(recording), build });
  const chooser = await openRecordedChooser(engine, new RecordedFiles(recording), (await policyRecorded(recording))!);
  return { engine, choice: chooser.choose(), recording, decide: () => chooser.decide() };
}

/** What is the same of a choice, whatever else was read. */
function core(engine: Engine, { outcome, slot, options, rules }: Choice) {
  if (slot < 0) return { outcome };
  const { tgid, points, comm, chargePages, oomScore } = rankedAt(engine, slot, options.scheme);
  return { outcome, tgid, points, comm, chargePages, oomScore, hits: rules?.hitsOf(slot) ?? null, options };
}

const FLAGS = [0, 0, 0, L.TASK_SELF, L.TASK_PROTECTED, L.TASK_OUTSIDE, L.TASK_MEMDIE, L.TASK_VFORK];
const anyTask = fc.record({
  rssPages: fc.nat(90_000),
  rssAnonPages: fc.nat(90_000),
  statRssPages: fc.nat(90_000),
  totalVmPages: fc.nat(200_000),
  swapPages: fc.nat(500),
  pgtablesBytes: fc.nat(90).map((pages) => pages * 4096),
  utimeJiffies: fc.nat(900_000),
  stimeJiffies: fc.nat(900_000),
  startTimeTicks: fc.nat(900_000),
  nice: fc.integer({ min: -20, max: 19 }),
  uid: fc.nat(3),
  euid: fc.nat(3),
  capEff: fc.constantFrom('0', '20000', '3fffffffff'),
  oomScoreAdj: fc.integer({ min: -1000, max: 1000 }),
  oomAdj: fc.integer({ min: -17, max: 15 }),
  ppid: fc.nat(8),
  comm: fc.constantFrom('a', 'sshd', 'b c', '日本', '\udcff'),
  exiting: fc.constantFrom(false, false, false, true),
}) satisfies fc.Arbitrary<Omit<Task, 'tgid'>>;

test('decision: exported from its rows it replays to the same record, byte for byte, in every scheme and on both builds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...SCHEMES),
      fc.array(fc.tuple(anyTask, fc.constantFrom(...FLAGS)), { minLength: 1, maxLength: 12 }),
      async (scheme, drawn) => {
        const policy = definePolicy({ scheme, never: [] });
        const engine = await openEngine({ maxTasks: 64 });
        beginSnapshot(engine, { hz: 100, pageSize: 4096, uptimeS: 9000.25, totalPages: 0 });
        for (const [index, [task, flags]] of drawn.entries()) {
          const whole = { ...task, tgid: index + 1 };
          stageTask(engine, whole);
          engine.fields[L.FIELD_FLAGS]! |= flags;
          putStaged(engine, whole);
        }
        engine.abi.table_publish();
        const options = { ...policy.parameters, scheme, totalPages: 1_000_000 };
        scoreTasks(engine, options);
        const { slot } = selectTask(engine, options);
        const id = recordDecision(engine, options, slot);
        const ring = new DecisionRing();
        ring.keep(engine, { id, monotonicMs: 5.5, wallMs: 1e12, options, memory: MEMORY, looked: new Map() });
        const text = await decisionRecording(ring.find(id)!.decision, null, by(policy));
        for (const build of BUILDS) {
          const { decide } = await replayed(text, build);
          assert.deepEqual(decide().bytes, decisions(engine, 1)[0]!.bytes);
        }
      },
    ),
    { numRuns: 60 },
  );
});

const RULES: PolicyInput['rules'] = [
  { cmdline: '*--spare*', times: '1/4' },
  { cgroup: '/x/*', times: '3' },
  { ancestor: 'grand', plus: '4MiB' },
  { exe: '/opt/first', class: 'first', least: '1MiB' },
  { user: 7, never: true },
];

test('decision: of a scan that read most tasks as bounds, and whose rules looked at files, it replays to the same choice', async (t) => {
  let bounds = 0;
  for (let round = 0; round < 12; ++round) {
    const proc = new FakeProc({ uptimeS: 4000 });
    t.after(() => proc.remove());
    proc.put({ pid: 1, comm: 'init', vm: 10, rss: 5 });
    proc.put({ pid: 2, comm: 'grand', vm: 10, rss: 5 });
    proc.put({ pid: 3, comm: 'parent', ppid: 2, vm: 10, rss: 5 });
    for (let pid = 10; pid < 90; ++pid) {
      const rss = 100 + ((pid * 7919 * (round + 3)) % 60_000);
      const odd = (pid + round) % 7;
      proc.put({
        ...{
          pid,
          ppid: odd === 1 ? 3 : 1,
          comm: `t${pid}`,
          vm: rss * 2,
          rss,
          statRss: rss,
          pte: 40,
          uid: odd === 2 ? 7 : 1000,
        },
        ...{ utime: (pid * 977) % 5000, start: 1000 * (pid % 9), exe: odd === 4 ? '/opt/first' : '/usr/bin/x' },
        ...{ cmdline: ['prog', odd === 3 ? '--spare' : '--go'], cgroup: `4:memory:${odd === 5 ? '/x/y z' : '/w'}\n` },
      });
    }
    const policy = definePolicy({
      rules: round % 3 === 0 ? [] : RULES,
      scheme: round % 2 ? 'badness' : 'linux-2.6.10',
    });
    const engine = await openEngine({ maxTasks: 256 });
    const { rules, texts } = await openRules(engine, policy.rules, { root: proc.root, now: () => 0 });
    const scanner = new ProcScanner(engine, {
      ...policy.parameters,
      ...{ root: proc.root, scheme: policy.scheme as 'badness', ...(rules ? { rules } : {}) },
    });
    t.after(() => scanner.close());
    const totalPages = 5_000_000;
    scanner.decide(totalPages);
    const { outcome, slot, tasks } = scanner.decide(totalPages);
    const options = { ...policy.parameters, scheme: policy.scheme as 'badness', totalPages };
    const choice: Choice = { outcome, slot, tasks, options, rules };
    const id = recordDecision(engine, options, slot);
    const ring = new DecisionRing();
    const looked = new Map(Array.from(texts?.looked ?? [], ([path, text]) => [path.replace(proc.root, '/proc'), text]));
    ring.keep(engine, { id, monotonicMs: 5, wallMs: 0, options, memory: MEMORY, looked });
    const text = await decisionRecording(ring.find(id)!.decision, '{"a":1}', by(policy));
    const again = await replayed(text);
    assert.equal(core(engine, choice).outcome, 'victim');
    assert.deepEqual(core(again.engine, again.choice), core(engine, choice));
    assert.equal(new RecordedFiles(again.recording).facts.decision, '{"a":1}\n');
    bounds += Number(/^# Of (\d+) tasks only the size was read/m.exec(text)?.[1] ?? 0);
  }
  assert.ok(bounds > 100, `${bounds} rows were bounds`);
});

test('decision: a guard of this machine exports its rounds, and they replay to them', async () => {
  const policy = definePolicy({ domain: 'system', rules: [{ cmdline: '*no such thing*', never: true }] });
  const guard = await openLinuxGuard({ policy, for: 'daemon', tell() {}, native: 'none', decisions: { most: 2 } });
  try {
    const reports = [await roundOf(guard), await roundOf(guard), await roundOf(guard)];
    assert.deepEqual(
      reports.map(({ outcome }) => outcome),
      ['dry', 'dry', 'dry'],
    );
    await assert.rejects(guard.decisions.recording(reports[0]!.decision!), { code: 'ENODATA' });
    const { decision, victim } = reports[2]!;
    const { engine, choice, recording } = await replayed(await guard.decisions.recording(decision!, 'badness test'));
    assert.equal(recording.facts.madeBy, 'badness test');
    const chosen = rankedAt(engine, choice.slot, choice.options.scheme);
    assert.deepEqual([chosen.tgid, chosen.points], [victim!.tgid, victim!.points]);
    assert.equal(engine.u32(L.C_ID, choice.slot), victim!.tgid);
    const written = JSON.parse(new RecordedFiles(recording).facts.decision!) as { report: { decision: number } };
    assert.equal(written.report.decision, decision);
  } finally {
    await guard.close();
  }
});

async function tableOf(tasks: number): Promise<Engine> {
  const engine = await openEngine({ maxTasks: 4096 });
  beginSnapshot(engine, { hz: 100, pageSize: 4096, uptimeS: 1, totalPages: 0 });
  for (let tgid = 1; tgid <= tasks; ++tgid) {
    stageTask(engine, { tgid, rssPages: tgid });
    putStaged(engine, { tgid });
  }
  engine.abi.table_publish();
  return engine;
}

const kept = (id: number) => ({
  id,
  monotonicMs: 1,
  wallMs: 1,
  options: { scheme: 'badness' as const },
  memory: null,
  looked: new Map(),
});

test('decision ring: it keeps the last so many, in so many bytes, and always the newest', async () => {
  const small = await tableOf(10);
  const ring = new DecisionRing({ most: 3 });
  for (let id = 0; id < 5; ++id) ring.keep(small, kept(id));
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((id) => ring.find(id) !== null),
    [false, false, true, true, true],
  );
  const large = await tableOf(4000);
  const bounded = new DecisionRing({ bytesMost: 2_000_000 });
  for (let id = 0; id < 9; ++id) bounded.keep(large, kept(id));
  assert.equal(bounded.count, 2);
  assert.ok(bounded.bytes <= 3 * 208 * 4300, String(bounded.bytes));
  const tight = new DecisionRing({ bytesMost: 1 });
  tight.keep(large, kept(1));
  tight.keep(large, kept(2));
  assert.deepEqual([tight.count, tight.find(2)?.decision.id], [1, 2]);
  const none = new DecisionRing({ most: 0 });
  none.prepare(large);
  none.keep(large, kept(1));
  assert.deepEqual([none.count, none.bytes], [0, 0]);
  assert.throws(() => new DecisionRing({ most: 65 }), /decisions must be 0\.\.64, got 65/);
});

test('decision ring: what is kept stays as it was when the table goes on, and buffers are used again', async () => {
  const first = await tableOf(10);
  const ring = new DecisionRing({ most: 1 });
  ring.prepare(first);
  const before = ring.bytes;
  ring.keep(first, kept(1));
  assert.equal(ring.bytes, before, 'the buffer was ready');
  first.view.setFloat64(first.cell(L.C_RSS, 4, 8), 77, true);
  const other = await openEngine({ maxTasks: 64 });
  restoreSnapshot(other, ring.find(1)!.decision.copy);
  assert.equal(other.count, 10);
  assert.equal(other.f64(L.C_RSS, 4), 5);
  for (let id = 2; id < 9; ++id) ring.keep(first, kept(id));
  assert.ok(ring.bytes <= 2 * before, 'two buffers take turns');
  ring.addReport(8, 'told');
  assert.equal(ring.find(8)!.report, 'told');
  const tiny = await openEngine({ maxTasks: 1 });
  assert.throws(
    () => restoreSnapshot(tiny, new Uint8Array(new Uint32Array([999, ...new Array(20).fill(0)]).buffer)),
    /expected an engine for 999 tasks/,
  );
});

test('decision: after another policy came into force, those before it keep theirs, and rules look anew', async () => {
  const first = definePolicy({ domain: 'system', rules: [{ cmdline: '*no such thing*', times: '2' }] });
  const second = definePolicy({ ...first, scheme: 'resident', rules: [{ cgroup: '*', times: '3' }] });
  const guard = await openLinuxGuard({ policy: first, for: 'daemon', tell() {}, native: 'none' });
  const running = guard.run();
  try {
    const before = await roundOf(guard);
    assert.equal(await guard.reload(() => second), true);
    const after = await roundOf(guard);
    for (const [{ decision, victim }, scheme] of [
      [before, 'badness'],
      [after, 'resident'],
    ] as const) {
      const { engine, choice, recording } = await replayed(await guard.decisions.recording(decision!));
      assert.equal((await policyRecorded(recording))!.scheme, scheme);
      assert.equal(engine.u32(L.C_ID, choice.slot), victim!.tgid);
      assert.deepEqual(choice.rules!.hitsOf(choice.slot), victim!.rules);
    }
    assert.deepEqual(
      after.victim!.rules!.map(({ effect }) => effect),
      ['times 3/1'],
    );
  } finally {
    await guard.close();
    await running;
  }
});

test('decision: a plug-in is not asked again by a replay: its fallback decides', async () => {
  const recording = parseRecording(
    'badness-recording 1\npolicy\n  version = 1\n  scheme = { wasm = "/no/such.wasm", fallback = "resident" }\nsnapshot monotonic_ms 1\ntasks\n  {"tgid":6,"rss_pages":80}\n',
  );
  assert.equal((await policyRecorded(recording))!.scheme, 'resident');
});
