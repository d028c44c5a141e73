/** Previews: who would go if memory fell so low, in the order and with the choice of the rounds that would follow. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import * as library from '../../src/index.js';
import * as linux from '../../src/linux/index.js';
import { compileRules } from '../../src/policy/compiled-rule.js';
import * as policies from '../../src/policy/index.js';
import { definePolicy, type PolicyInput } from '../../src/policy/policy.js';
import { type PreviewOptions, preview } from '../../src/policy/preview.js';
import { NO_TEXTS, RowRules } from '../../src/policy/row-rules.js';
import { levelOf } from '../../src/pressure/memory-state.js';
import { scoreTasks, selectTask } from '../../src/rank.js';
import { loadTasks, type Task } from '../../src/task.js';
import { badness, records } from './support/badness.js';
import { runExample } from './support/doc-example.js';
import fc from './support/fast-check.js';

const MIB = 1024;
/** 1,000 MiB, of which 500 are available; thresholds are of 1,000. */
const MEMORY = { totalKib: 1000 * MIB, availableKib: 500 * MIB, basisKib: 1000 * MIB, swapTotalKib: 0, swapFreeKib: 0 };
const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 1000, totalPages: 256_000 };

/** A task that holds so many MiB of its own, and so many more that it does not give back. */
function task(tgid: number, ownMib: number, sharedMib = 0, more: Partial<Task> = {}): Task {
  const rssAnonPages = ownMib * 256;
  const rssPages = rssAnonPages + sharedMib * 256;
  return {
    tgid,
    comm: `t${tgid}`,
    totalVmPages: rssPages * 2,
    rssPages,
    rssAnonPages,
    rssShmemPages: sharedMib * 256,
    startTimeTicks: 99_000,
    ...more,
  };
}

async function previewOf(tasks: Task[], options: Partial<PreviewOptions> & { input?: PolicyInput } = {}) {
  const { input = {}, ...rest } = options;
  const engine = await openEngine({ maxTasks: 64 });
  const policy = definePolicy({ scheme: 'resident', ...input });
  const compiled = await compileRules(policy.rules);
  const rules = compiled.length > 0 ? new RowRules(engine, compiled, NO_TEXTS) : null;
  loadTasks(engine, tasks, MACHINE);
  return preview(engine, { policy, memory: MEMORY, available: { percent: 5 }, shares: [], rules, ...rest });
}

const ids = ({ kills }: { kills: readonly { task: { tgid: number } }[] }) => kills.map(({ task: { tgid } }) => tgid);

test('preview: the worst go first, as many as it takes to be above the threshold, and no more', async () => {
  const { start, level, kills, end } = await previewOf([task(10, 20), task(11, 40), task(12, 30), task(13, 10)]);
  assert.equal(start.availableKib, 50 * MIB);
  assert.equal(level, 'kill');
  assert.equal(end, 'enough');
  assert.deepEqual(
    kills.map(({ task, signal, backKib, after }) => [task.tgid, signal, backKib / MIB, after.availableKib / MIB]),
    [
      [11, 'SIGKILL', 40, 90],
      [12, 'SIGTERM', 30, 120],
    ],
  );
});

test('preview: at the threshold memory is still short', async () => {
  assert.deepEqual(ids(await previewOf([task(10, 50), task(11, 1)])), [10, 11]);
});

test('preview: shared memory does not come back, page tables do, and swap becomes free', async () => {
  const swapped = { ...MEMORY, swapTotalKib: 100 * MIB, swapFreeKib: 60 * MIB };
  const { kills, start } = await previewOf([task(10, 40, 200, { swapPages: 256 * 30, pgtablesBytes: 2 ** 21 })], {
    memory: swapped,
  });
  assert.equal(start.swapFreeKib, 0);
  const [kill] = kills;
  assert.deepEqual(
    [kill!.backKib, kill!.staysKib, kill!.swapBackKib].map((kib) => kib / MIB),
    [42, 200, 30],
  );
  assert.equal(kill!.after.swapFreeKib, 30 * MIB);
  assert.equal(levelOf(kill!.after, definePolicy().thresholds), 'warn', 'swap is free enough, so SIGTERM is not due');
});

test('preview: with swap free memory is not short, as a guard sees it', async () => {
  const memory = { ...MEMORY, swapTotalKib: 100 * MIB, swapFreeKib: 60 * MIB };
  const free = await previewOf([task(10, 40)], { memory, swapFree: { percent: 50 } });
  assert.deepEqual([free.end, free.kills.length], ['not-short', 0]);
});

test('preview: who shares memory goes along, and counts once', async () => {
  const { kills } = await previewOf([task(10, 91), task(11, 90), task(12, 30)], { shares: [[10, 11, 99]] });
  assert.deepEqual(ids({ kills }), [10]);
  assert.deepEqual(kills[0]!.sharers, [11]);
  assert.equal(kills[0]!.after.availableKib, 141 * MIB);
  const unknown = await previewOf([task(10, 40), task(11, 40)], { shares: null });
  assert.match(unknown.assumptions.join('; '), /who shares memory with whom is not known/);
});

test('preview: rules, and who may not be chosen, are heeded death after death', async () => {
  const tasks = [
    task(1, 400),
    task(10, 300, 0, { oomScoreAdj: -1000 }),
    task(11, 200),
    task(12, 30),
    task(13, 20),
    task(14, 10),
  ];
  const rules = [
    { comm: 't11', never: true as const },
    { comm: 't14', class: 'first' as const, least: '1MiB' },
  ];
  const { kills, end } = await previewOf(tasks, { input: { rules } });
  assert.deepEqual(ids({ kills }), [14, 12, 13]);
  assert.equal(kills[0]!.task.rules![0]!.effect, 'class first');
  assert.equal(kills[0]!.task.points, 10 * 256, 'without what a class makes of them inside');
  assert.equal(end, 'enough');
});

test('preview: where nobody else may be chosen it says so, and it ends after as many as were asked for', async () => {
  assert.equal((await previewOf([task(10, 10), task(11, 5)])).end, 'nobody');
  const most = await previewOf([task(10, 10), task(11, 6), task(12, 5)], { most: 2 });
  assert.deepEqual([most.end, ids(most)], ['most', [10, 11]]);
});

test('preview: of one whose parts are not known all of it is taken to come back, and that is said', async () => {
  const { kills, assumptions } = await previewOf([task(10, 0, 0, { rssPages: 60 * 256, rssAnonPages: 0 })]);
  assert.equal(kills[0]!.backKib, 60 * MIB);
  assert.match(assumptions.join('; '), /only the size is known/);
});

test('preview: each death is the choice that a round would make among those who are left', async () => {
  const schemes = ['badness', 'resident', 'linux-5.9', 'linux-2.6.10', 'family'] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...schemes),
      fc.array(
        fc.record({
          own: fc.integer({ min: 1, max: 40 }),
          cpu: fc.nat(90_000),
          parent: fc.nat(9),
          adj: fc.integer({ min: -500, max: 500 }),
        }),
        { minLength: 1, maxLength: 10 },
      ),
      async (scheme, drawn) => {
        const tasks = drawn.map(({ own, cpu, parent, adj }, index) =>
          task(10 + index, own, 0, {
            utimeJiffies: cpu,
            ppid: 9 + Math.min(parent, index),
            oomScoreAdj: adj,
            startTimeTicks: 1000 * index,
          }),
        );
        const { kills } = await previewOf(tasks, { input: { scheme } });
        const engine = await openEngine({ maxTasks: 64 });
        let left = tasks;
        for (const { task: dead } of kills) {
          loadTasks(engine, left, MACHINE);
          const options = { ...definePolicy({ scheme }).parameters, scheme, totalPages: 256_000 };
          scoreTasks(engine, options);
          const { slot } = selectTask(engine, options);
          assert.equal(left[slot]!.tgid, dead.tgid);
          left = left.filter(({ tgid }) => tgid !== dead.tgid);
        }
      },
    ),
    { numRuns: 60 },
  );
});

const GROUP = 'tests/fixtures/limited-group.proc';

test('preview: on a recording, in words and as JSON', () => {
  const words = badness(['preview', '--available', '5%', '--replay', GROUP]);
  assert.equal(words.status, 0, words.stderr);
  assert.match(
    words.stdout,
    /if memcg \/sys\/fs\/cgroup\/memory\/group1 falls to 12\.7 MiB \(5\.0 %\) available: kill/,
  );
  assert.match(words.stdout, /1 +\d+ +SIGKILL +181 MiB .* task3\n/);
  assert.match(words.stdout, /An estimate: /);
  const [record] = records(
    badness(['preview', '--available', '1MiB', '--replay', GROUP, '--json', '--at', 'first']).stdout,
  );
  assert.equal(record!.estimate, true);
  assert.equal((record!.start as { available_kib: number }).available_kib, 1024);
  assert.ok((record!.kills as unknown[]).length > 0);
});

test('preview: on this machine it looks, and names nobody of its own line', () => {
  const [record] = records(badness(['preview', '--available', '3%', '--json', '--domain', 'system']).stdout);
  assert.equal(record!.domain, 'system');
  const kills = record!.kills as { tgid: number; sharers: number[] }[];
  assert.ok(kills.every(({ tgid }) => tgid !== process.pid && tgid !== 1));
});

const REFUSED: [args: string[], status: number, stderr: RegExp][] = [
  [[], 2, /expected --available 5% or --available 512MiB/],
  [['--available', 'low'], 2, /--available must be .*got "low"/],
  [['--available', '5%', '--at', '1'], 2, /--at goes with --replay/],
  [['--available', '5%', '--replay', GROUP, '--domain', 'system'], 2, /a recording has its own/],
  [['--available', '5%', '--replay', GROUP, '--native', 'none'], 2, /--native is for a running machine/],
  [['--available', '5%', '--avoid', '['], 2, /--avoid must be a regular expression of RE2 .*, got "\["\n$/],
  [
    ['--available', '5%', '--scheme', './own.mjs'],
    2,
    /a module goes with the name of its export, such as \.\/own\.mjs#points/,
  ],
  [['--available', '5%', '-n', '0'], 2, /-n must be an integer 1\.\.1000/],
];

for (const [args, status, stderr] of REFUSED) {
  test(`preview: ${args.join(' ') || 'nothing'} is refused in words`, () => {
    const ran = badness(['preview', ...args]);
    assert.match(ran.stderr, stderr);
    assert.equal(ran.status, status);
  });
}

test('docs: the program of preview.md runs', async () => {
  const page = readFileSync('docs/preview.md', 'utf8');
  const ends: unknown[] = [];
  const entries = { badness: library, 'badness/linux': linux, 'badness/policy': policies };
  await runExample(page, entries, { ends }, 'ends.push(end, kills.length);');
  assert.match(String(ends[0]), /^(enough|nobody|not-short|most|in-flight)$/);
});
