/** What-if: two policies on the same tasks decide as each of them alone, and what is said of a change is why. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import { definePolicy, type PolicyInput } from '../../src/policy/policy.js';
import {
  openRecordedChooser,
  parseRecording,
  RecordedFiles,
  type Recording,
  replayGuard,
  tasksMost,
  type WhatIf,
  type WhatIfOptions,
  whatIf,
} from '../../src/recording/index.js';
import { SCHEMES } from '../../src/schemes.js';
import { type RecordedMoment, recordingText } from './support/recordings.js';

const FOLDER = 'tests/fixtures';
// What is wrong in the third is its point.
const FIXTURES = readdirSync(FOLDER).filter((name) => name.endsWith('.proc') && name !== 'hostile.proc');
const fixture = (name: string): Recording => parseRecording(readFileSync(`${FOLDER}/${name}`, 'utf8'));

const TASKS = { hog: 70_000, big: 50_000, small: 100 };

function compare(
  moments: readonly RecordedMoment[],
  input: PolicyInput,
  options: Partial<WhatIfOptions> = {},
  head: readonly string[] = [],
): Promise<WhatIf> {
  return whatIf(parseRecording(recordingText(moments, head)), { policy: definePolicy(input), ...options });
}

/** Whom a policy chooses at each snapshot, with an engine of its own. */
async function victims(recording: Recording, input: PolicyInput): Promise<(number | null)[]> {
  const engine = await openEngine({ maxTasks: tasksMost(recording) });
  const files = new RecordedFiles(recording);
  const chooser = await openRecordedChooser(engine, files, definePolicy(input));
  return recording.snapshots.map((_, index) => {
    files.moveTo(index);
    return chooser.decide().order[0]?.id ?? null;
  });
}

const POLICIES: PolicyInput[] = [
  ...SCHEMES.map((scheme) => ({ scheme })),
  { never: [] },
  { never: ['task3', 'task1*'] },
  { scheme: 'resident', rules: [{ comm: 'task3', never: true }] },
  {
    rules: [
      { cgroup: '*group*', class: 'last' },
      { comm: 'task*', times: '1/3' },
    ],
  },
];

test('what-if: both policies choose as each of them does alone, whatever the other one was', async () => {
  let changes = 0;
  for (const name of FIXTURES) {
    const recording = fixture(name);
    const engine = await openEngine({ maxTasks: tasksMost(recording) });
    const alone = await Promise.all(POLICIES.map((input) => victims(recording, input)));
    for (const [older, against] of POLICIES.entries()) {
      for (const [newer, policy] of POLICIES.entries()) {
        const options = { policy: definePolicy(policy), against: definePolicy(against), engine, all: true };
        const result = await whatIf(recording, options);
        const expected = alone[older]!.flatMap((old, index) =>
          old === alone[newer]![index] ? [] : [[index, old, alone[newer]![index]]],
        );
        const got = result.changes.filter((change) => change.old.victim?.tgid !== change.new.victim?.tgid);
        assert.deepEqual(
          got.map((change) => [change.snapshot, change.old.victim?.tgid ?? null, change.new.victim?.tgid ?? null]),
          expected,
          `${name}: ${JSON.stringify(against)} to ${JSON.stringify(policy)}`,
        );
        changes += expected.length;
      }
    }
  }
  assert.ok(changes > 100, `there was something to see: ${changes}`);
});

test('what-if: a policy decides where a guard with it begins a round', async () => {
  // A guard that touches nobody rests a minute after each round.
  const moments = [30, 9, 25, 8, 25, 4, 40].map((percent, index) => ({
    ...{ monotonicMs: 1000 + index * 40_000, percent },
    tasks: { ...TASKS, late: index === 5 ? 90_000 : 10, middle: index === 3 ? 80_000 : 10 },
  }));
  const recording = parseRecording(recordingText(moments));
  const { events } = await replayGuard(recording);
  const rounds = events.flatMap(({ event, snapshot }) => (event.kind === 'round' ? [snapshot] : []));
  const never = await compare(moments, { never: ['*'] });
  assert.deepEqual(
    never.changes.map(({ snapshot }) => snapshot),
    rounds,
  );
  assert.deepEqual(
    never.changes.map(({ atMs, old }) => [atMs, old.victim?.comm, old.signal]),
    [
      [40_000, 'hog', 'SIGTERM'],
      [120_000, 'middle', 'SIGTERM'],
      [200_000, 'late', 'SIGKILL'],
    ],
  );
  assert.deepEqual([never.snapshots, never.decided, never.evaluations], [7, 3, 3 * 2 * 5]);
});

test('what-if: the same policy changes nothing, and nothing is chosen while memory is not short', async () => {
  const moments = [{ monotonicMs: 0, percent: 50, tasks: TASKS }];
  assert.deepEqual(await compare(moments, {}), { changes: [], snapshots: 1, decided: 0, evaluations: 0 });
  const every = await compare(moments, {}, { all: true });
  assert.deepEqual(every, { changes: [], snapshots: 1, decided: 1, evaluations: 6 });
});

test('what-if: thresholds alone make a victim of nobody, nobody of a victim, and another signal', async () => {
  const moments = [{ monotonicMs: 0, percent: 12, tasks: TASKS }];
  const early: PolicyInput = { thresholds: { term: { available: '20%' }, kill: { available: '15%' } } };
  const [sooner] = (await compare(moments, early)).changes;
  assert.deepEqual([sooner!.old.outcome, sooner!.old.level, sooner!.old.victim], ['not-short', 'warn', null]);
  assert.deepEqual([sooner!.new.victim?.comm, sooner!.new.signal, sooner!.new.other], ['hog', 'SIGKILL', null]);
  const [later] = (await compare(moments, {}, { against: definePolicy(early) })).changes;
  assert.deepEqual([later!.old.victim?.comm, later!.new.outcome], ['hog', 'not-short']);
  const gentle = definePolicy({ thresholds: { term: { available: '20%' }, kill: { available: '1%' } } });
  const [harder] = (await compare(moments, early, { against: gentle })).changes;
  assert.deepEqual([harder!.old.signal, harder!.new.signal], ['SIGTERM', 'SIGKILL']);
  assert.equal(harder!.old.victim?.tgid, harder!.new.victim?.tgid);
});

test('what-if: says how each victim stands by the other policy, with its rules', async () => {
  const moments = [{ monotonicMs: 7, percent: 2, tasks: TASKS }];
  const rules = [{ comm: 'hog', times: '1/2' }];
  const { changes } = await compare(
    moments,
    { scheme: 'resident', rules },
    { against: definePolicy({ scheme: 'resident' }) },
  );
  const [{ old, new: now }] = changes as [WhatIf['changes'][number]];
  assert.deepEqual(
    [old.victim?.comm, old.victim?.points, old.other?.comm, old.other?.points],
    ['hog', 70_000, 'big', 50_000],
  );
  assert.deepEqual(
    [now.victim?.comm, now.victim?.points, now.other?.comm, now.other?.points],
    ['big', 50_000, 'hog', 35_000],
  );
  assert.deepEqual(now.other?.rules, [{ rule: 1, effect: 'times 1/2', points: 35_000, assumed: false }]);
  assert.deepEqual([old.victim?.rules, now.victim?.rules], [[], []]);
  assert.equal(old.victim?.chargeBytes, 70_000 * 4096);
  const spared = await compare(moments, { never: ['hog'] });
  assert.deepEqual([spared.changes[0]?.new.other?.points, spared.changes[0]?.new.other?.reason], [null, 'rule']);
});

test('what-if: a class is said beside points, and not as points', async () => {
  const moments = [{ monotonicMs: 7, percent: 2, tasks: TASKS }];
  const { changes } = await compare(moments, {
    scheme: 'resident',
    rules: [{ comm: 'small', class: 'first', least: '1KiB' }],
  });
  const { victim } = changes[0]!.new;
  assert.deepEqual([victim?.comm, victim?.points, victim?.class], ['small', 100, 'first']);
});

test('what-if: a level that has to last counts from the snapshot on at which it has lasted', async () => {
  const moments = [9, 9, 9].map((percent, index) => ({ monotonicMs: index * 1000, percent, tasks: TASKS }));
  const lasting = (forMs: number) =>
    compare(moments, { pressure: { forMs } as never, never: ['hog'] }, { against: definePolicy({ never: ['*'] }) });
  const from = async (forMs: number) => (await lasting(forMs)).changes.map(({ snapshot }) => snapshot);
  assert.deepEqual(await from(0), [0, 1, 2]);
  // The guard looks again before the next snapshot.
  assert.deepEqual(await from(500), [0, 1, 2]);
  assert.deepEqual(await from(1500), [1, 2]);
  assert.deepEqual(await from(60_000), []);
});

test('what-if: where somebody decided and memory is not known, both policies decide', async () => {
  const tasks = TASKS;
  const moments = [
    { monotonicMs: 0, percent: null, tasks },
    { monotonicMs: 1, percent: null, tasks, decision: true },
    { monotonicMs: 2, percent: 60, tasks, decision: true },
  ];
  const { changes, decided } = await compare(moments, { never: ['hog'] });
  assert.deepEqual([decided, changes.map(({ snapshot }) => snapshot)], [1, [1]]);
});

test('what-if: the old policy is that of the recording, unless one is given', async () => {
  const moments = [{ monotonicMs: 0, percent: 2, tasks: TASKS }];
  const head = ['policy', '  version = 1', '  never = ["hog"]'];
  assert.equal((await compare(moments, { never: ['hog'] }, {}, head)).changes.length, 0);
  assert.equal((await compare(moments, {}, {}, head)).changes[0]?.old.victim?.comm, 'big');
  assert.equal((await compare(moments, {}, { against: definePolicy() }, head)).changes.length, 0);
});

test('what-if: a policy that needs workers is refused by name', async () => {
  const policy = { ...definePolicy(), scheme: { wasm: 'own.wasm' } } as never;
  const recording = parseRecording(recordingText([{ monotonicMs: 0, percent: 2, tasks: TASKS }]));
  await assert.rejects(whatIf(recording, { policy }), /^TypeError: policy.scheme: a module needs a guard/);
});
