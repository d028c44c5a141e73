/** With rules too ProcScanner reads a fraction of what a full reading reads, and chooses the same victim. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { type Engine, type EngineBuild, openEngine } from '../../src/engine.js';
import { liveFiles } from '../../src/linux/live-files.js';
import { readTasks } from '../../src/linux/read-all.js';
import { ProcScanner } from '../../src/linux/scan.js';
import type { ScanOptions } from '../../src/linux/scan-options.js';
import { compileRules, definePolicy, RowRules, type Rule, type RuleInput, selectBy } from '../../src/policy/index.js';
import { ProcTexts } from '../../src/proc/rule-texts.js';
import { FakeProc } from './support/fake-proc.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { type History, histories, ROUNDS, writeRound } from './support/histories.js';

const SCANS: ScanOptions[] = [
  { scheme: 'badness' },
  { scheme: 'badness', age: 'spare-young' },
  { scheme: 'badness', adj: 'kernel', maxDescriptors: 7 },
  { scheme: 'resident' },
  { scheme: 'linux-2.6.10' },
];

const condition: fc.Arbitrary<RuleInput> = fc.constantFrom<RuleInput>(
  { comm: '*1' },
  { comm: '/[02468]$/' },
  { comm: '*' },
  { user: 0 },
  { age: { older: 5000 } },
  { age: { younger: '1d' } },
  { memory: { more: '1MiB' } },
  { memory: { less: '1%' } },
  { exe: '/bin/a*' },
  { cmdline: '*--n=2*' },
  { cgroup: '/x/*', comm: '*3' },
  { ancestor: 'task-1' },
  { cmdline: '/n=[13]/', user: 1000 },
);
const effect: fc.Arbitrary<RuleInput> = fc.constantFrom<RuleInput>(
  { never: true },
  { times: '3/2' },
  { times: '1/4' },
  { times: '1000/1' },
  { plus: '200MiB' },
  { plus: '1GiB', least: '0B' },
  { minus: '1GiB' },
  { class: 'first' },
  { class: 'first', least: '0%' },
  { class: 'last' },
);
const rules = fc
  .array(fc.tuple(condition, effect), { minLength: 1, maxLength: 5 })
  .map((pairs) => definePolicy({ rules: pairs.map(([whom, what]) => ({ ...whom, ...what })) }).rules);

/** What stat and status do not tell. Some tasks have files that cannot be read. */
function writeTexts(proc: FakeProc): void {
  for (const name of readdirSync(proc.root)) {
    const pid = Number(name);
    if (!(pid > 0)) continue;
    proc.file(`${name}/cgroup`, `0::${pid % 2 ? '/x/y' : '/z'}\n`);
    if (pid % 7 !== 0) proc.file(`${name}/cmdline`, `prog\0--n=${pid % 5}\0`);
  }
}

/** Files of tasks, of so many tasks a round. */
function textsOf(root: string, budget: number): ProcTexts {
  const texts = new ProcTexts(liveFiles, { root, now: () => 0 });
  let left = 0;
  const { begin } = texts;
  texts.begin = () => {
    begin.call(texts);
    left = budget;
  };
  texts.mayLook = () => left-- > 0;
  return texts;
}

const ID = (engine: Engine, slot: number) => (slot < 0 ? slot : engine.u32(L.C_ID, slot));

async function rowRules(engine: Engine, of: readonly Rule[], root: string, budget: number): Promise<RowRules> {
  return new RowRules(engine, await compileRules(of), textsOf(root, budget));
}

interface Pair {
  options: ScanOptions;
  engine: Engine;
}

async function holds(history: History, of: readonly Rule[], budget: number, full: Engine, pairs: readonly Pair[]) {
  const proc = new FakeProc();
  const scanners: ProcScanner[] = [];
  try {
    const whole = await rowRules(full, of, proc.root, budget);
    const mine: RowRules[] = [];
    for (const { options, engine } of pairs) {
      const ruled = await rowRules(engine, of, proc.root, budget);
      mine.push(ruled);
      scanners.push(new ProcScanner(engine, { ...options, root: proc.root, rules: ruled }));
    }
    for (let round = 0; round < ROUNDS; ++round) {
      writeRound(proc, history, round);
      writeTexts(proc);
      for (const [index, { options, engine }] of pairs.entries()) {
        const { slot } = scanners[index]!.decide();
        const { machine } = readTasks(full, { root: proc.root });
        const expected = selectBy(full, { totalPages: machine.totalPages, ...options }, { rules: whole });
        const said = `round ${round}, ${JSON.stringify(options)}, ${JSON.stringify(of)}`;
        assert.equal(ID(engine, slot), ID(full, expected.slot), said);
        assert.equal(mine[index]!.report.looked, whole.report.looked, `looked at, ${said}`);
        if (slot < 0) continue;
        assert.deepEqual(mine[index]!.hitsOf(slot), whole.hitsOf(expected.slot), said);
      }
    }
  } finally {
    for (const scanner of scanners) scanner.close();
    proc.remove();
  }
}

const STATE = { vm: 1, rssShare: 0, pteShare: 0, swapShare: 0, cpu: 0, nice: 0, adj: 0 };
const LIFE = { from: 0, to: ROUNDS, uid: 0, caps: '0', start: 0, tables: 0, states: Array(ROUNDS).fill(STATE) };
/** Found at random: of one without memory it was remembered that a rule on its arguments excluded it. */
const EXCLUDED_DEAD: [History, readonly Rule[], number] = [
  {
    lives: [
      { ...LIFE, kind: 'zombie' },
      { ...LIFE, kind: 'process' },
    ],
    ...{ swapPages: 0, firstPid: 2, uptimeS: 10 },
  },
  definePolicy({
    rules: [
      { cmdline: '*--n=2*', never: true },
      { ancestor: 'task-1', plus: '1GiB', least: '0B' },
    ],
  }).rules,
  64,
];

for (const build of ['shared', 'baseline'] as EngineBuild[]) {
  test(`scan with rules (${build}): the victim is that of a full reading with them, in every round`, async (t) => {
    const open = () => openEngine({ build, maxTasks: 64 });
    const full = await open();
    const pairs: Pair[] = [];
    for (const options of SCANS) pairs.push({ options, engine: await open() });
    const numRuns = Math.ceil(RUNS / (build === 'shared' ? 2 : 5));
    await fc.assert(
      fc.asyncProperty(histories, rules, fc.constantFrom(0, 1, 3, 64), (history, of, budget) =>
        holds(history, of, budget, full, pairs),
      ),
      { seed: SEED, numRuns, examples: [EXCLUDED_DEAD] },
    );
    t.diagnostic(`seed ${SEED}: ${numRuns} histories of ${ROUNDS} rounds, ${SCANS.length} ways to scan`);
  });
}
