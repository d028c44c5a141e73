/** Rules on a fake /proc, by each of the two ways in which a machine is read. */
import { type TestContext, test } from 'node:test';
import * as L from '../../../assembly/layout.js';
import { type Engine, openEngine } from '../../../src/engine.js';
import { readTasks } from '../../../src/linux/read-all.js';
import { openRules, type RuleOptions } from '../../../src/linux/rules.js';
import { ProcScanner } from '../../../src/linux/scan.js';
import { definePolicy, type RowRules, type RuleInput, selectBy } from '../../../src/policy/index.js';
import type { ScoreOptions } from '../../../src/rank.js';
import { FakeProc, type FakeTask } from './fake-proc.js';

export interface Scene {
  readonly tasks: readonly FakeTask[];
  readonly rules: readonly RuleInput[];
  /** Scheme `resident` unless it says otherwise. */
  readonly scoring?: ScoreOptions;
  readonly open?: RuleOptions;
}

export interface Chosen {
  /** tgid, or below 0. */
  victim: number;
  slot: number;
  rules: RowRules;
  engine: Engine;
}

export type Choose = (scene: Scene) => Promise<Chosen>;

interface Way {
  readonly name: string;
  /** The row of the victim. */
  choose(engine: Engine, root: string, rules: RowRules, scoring: ScoreOptions): number;
}

const bounded: Way = {
  name: 'bounded',
  choose(engine, root, rules, scoring) {
    using scanner = new ProcScanner(engine, { ...scoring, scheme: 'resident', root, rules });
    return scanner.decide().slot;
  },
};

const inFull: Way = {
  name: 'in full',
  choose(engine, root, rules, scoring) {
    const { machine } = readTasks(engine, { root });
    return selectBy(engine, { totalPages: machine.totalPages, scheme: 'resident', ...scoring }, { rules }).slot;
  },
};

/** A machine of 16 GiB; every task has run for 1,000 s unless it says otherwise, so that age does not divide. */
function chooser(t: TestContext, way: Way): Choose {
  return async ({ tasks, rules, scoring = {}, open = {} }) => {
    const proc = new FakeProc();
    t.after(() => proc.remove());
    for (const task of tasks) proc.put({ start: 9_900_000, ...task });
    const engine = await openEngine({ maxTasks: 1024 });
    const opened = await openRules(engine, definePolicy({ rules }).rules, { root: proc.root, now: () => 0, ...open });
    const slot = way.choose(engine, proc.root, opened.rules!, scoring);
    return { victim: slot < 0 ? slot : engine.u32(L.C_ID, slot), slot, rules: opened.rules!, engine };
  };
}

/** Declares a test of everybody read in full. */
export function ruled(name: string, run: (choose: Choose, t: TestContext) => Promise<void>): void {
  test(`rules (in full): ${name}`, (t) => run(chooser(t, inFull), t));
}

/** Declares a test for each way to read. */
export function ruledBothWays(name: string, run: (choose: Choose, t: TestContext) => Promise<void>): void {
  test(`rules (bounded): ${name}`, (t) => run(chooser(t, bounded), t));
  ruled(name, run);
}

/** Pages of a MiB. */
export const MIB = 256;

export const hog: FakeTask = { pid: 10, comm: 'hog', rss: 3000 * MIB, vm: 4000 * MIB };
export const other: FakeTask = { pid: 11, comm: 'other', rss: 2000 * MIB, vm: 4000 * MIB };
export const small: FakeTask = { pid: 12, comm: 'small', rss: 500 * MIB, vm: 4000 * MIB };
