/**
 * Stage: table → selection, on a live machine. One interface over the two ways to choose: the scanner where the scheme
 * can be bounded, everybody in full where it cannot.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { Policy } from '../policy/policy.js';
import { type Outcome, type ScoreOptions, scoreTasks, selectTask } from '../rank.js';
import type { SchemeName } from '../schemes.js';
import { exemptOwnAnd } from './exempt.js';
import { type Identity, openIdentity } from './identity.js';
import { readTasks } from './read-all.js';
import { BOUNDED_SCHEMES, ProcScanner } from './scan.js';
import { parseTaskStat } from './task-stat.js';

export interface Choice {
  outcome: Outcome;
  /** Row of the chosen task in the current snapshot, below 0 without one. */
  slot: number;
  tasks: number;
  /** What the snapshot was scored with. */
  options: ScoreOptions & { scheme: SchemeName };
}

/** Chooses round after round by one policy. Signals nobody. */
export class Chooser {
  private readonly engine: Engine;
  private readonly options: ScoreOptions & { scheme: SchemeName };
  private readonly scanner: ProcScanner | null;
  private readonly exempt: ReturnType<typeof exemptOwnAnd>;

  constructor(engine: Engine, policy: Policy) {
    if (typeof policy.scheme !== 'string')
      throw new TypeError('a scheme from a module needs a guard, which has workers');
    this.engine = engine;
    this.exempt = exemptOwnAnd(policy.never);
    this.options = { scheme: policy.scheme, ...policy.parameters };
    const bounded = BOUNDED_SCHEMES.find((scheme) => scheme === policy.scheme);
    this.scanner = bounded ? new ProcScanner(engine, { ...this.options, scheme: bounded, exempt: this.exempt }) : null;
  }

  choose(): Choice {
    if (this.scanner) {
      const { outcome, slot, tasks, totalPages } = this.scanner.decide();
      return { outcome, slot, tasks, options: { totalPages, ...this.options } };
    }
    const { machine, tasks } = readTasks(this.engine, { exempt: this.exempt });
    const options = { ...this.options, totalPages: machine.totalPages };
    scoreTasks(this.engine, options);
    return { ...selectTask(this.engine, options), tasks, options };
  }

  /**
   * The row of a task in the current snapshot, read in full and scored with the options of its choice; below 0 when
   * the task was not seen.
   */
  rowOf(tgid: number, { options }: Choice): number {
    for (let slot = 0; slot < this.engine.count; ++slot) {
      if (this.engine.u32(L.C_ID, slot) !== tgid) continue;
      this.scanner?.readFully(slot);
      scoreTasks(this.engine, options);
      return slot;
    }
    return L.E_NO_VICTIM;
  }

  /**
   * Holds the task in a row by a descriptor: the one kept since it was read, or a new one whose start time is compared.
   * Null when it is gone, or is another task by now.
   */
  identify(slot: number): Identity | null {
    try {
      const kept = this.scanner?.identity(slot);
      if (kept) return kept;
      const identity = openIdentity(this.engine.u32(L.C_ID, slot), 'stat');
      const text = identity.text();
      if (text !== null && parseTaskStat(text)?.startTicks === this.engine.f64(L.C_START_TICKS, slot)) return identity;
      identity.close();
    } catch {
      // Gone, which is what null says.
    }
    return null;
  }

  close(): void {
    this.scanner?.close();
  }
}
