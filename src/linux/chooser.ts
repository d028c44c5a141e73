/**
 * Stage: table → selection, on a live machine. One interface over the two ways to choose: the scanner where the scheme
 * can be bounded, everybody in full where it cannot.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { Choice } from '../guard/world.js';
import type { PointsSource } from '../plugin/points-source.js';
import { builtInScheme } from '../policy/plugin-scheme.js';
import type { Policy } from '../policy/policy.js';
import { selectBy } from '../policy/rank-by.js';
import type { RowRules } from '../policy/row-rules.js';
import { totalPagesOf } from '../pressure/memory-state.js';
import { parseTaskStat } from '../proc/task-stat.js';
import { type Ineligible, rankedAt, type ScoreOptions, scoreTasks, worstSlots } from '../rank.js';
import { isBound, slotOf } from '../rows.js';
import { type SchemeName, schemeNumber } from '../schemes.js';
import { type Exempt, exemptOwnAnd } from './exempt.js';
import type { FileCalls } from './file-calls.js';
import { type Identity, openIdentity } from './identity.js';
import type { LinuxDomain } from './linux-domain.js';
import { readMachine } from './machine.js';
import { isOutOfDescriptors } from './proc-files.js';
import { type ReadOptions, readTasks } from './read-all.js';
import { ProcScanner } from './scan.js';
import { BOUNDED_SCHEMES } from './scan-options.js';

/** So many of those that may be among the worst are read in full at a time; as in the scanner, more each time. */
const WIDTH_MAX = 64;
/** Full readings for a list of the worst, whatever their number: some 10 ms of them. */
const READ_LEAST = 256;

/** Reasons that hold beside others who die: not those of a moment (dying, vfork), nor that a leader has left its threads the memory. */
const LASTING = new Set<Ineligible>([
  'outside',
  'init',
  'kthread',
  'protected',
  'self',
  'rule',
  'adj -1000',
  'oom_adj -17',
]);

export interface ChooserOptions {
  /** Those of the policy (openRules). Must be given where it has some. */
  readonly rules?: RowRules | null | undefined;
  /** That of the policy. Must be given where its scheme is one. */
  readonly plugin?: PointsSource | null | undefined;
  /** Where /proc is. Default `/proc`. */
  readonly root?: string;
  /** How it is read. Default: by node:fs. */
  readonly files?: FileCalls | undefined;
}

/** Chooses round after round by one policy. Signals nobody. */
export class Chooser {
  private readonly engine: Engine;
  /** What it scores with, besides the memory there is. */
  readonly options: ScoreOptions & { scheme: SchemeName };
  /** Whom it reads, and the flags that it adds. */
  readonly read: ReadOptions;
  private readonly scanner: ProcScanner | null;
  private readonly domain: LinuxDomain;
  private readonly exempt: Exempt;
  private readonly rules: RowRules | null;
  /** For whoever scores the same tasks in another table. */
  readonly plugin: PointsSource | null;
  private readonly pageSize: number;

  /** `more` adds flags to each task that is read in full, besides those of the policy and of the domain. */
  constructor(engine: Engine, policy: Policy, domain: LinuxDomain, more: Exempt, options: ChooserOptions = {}) {
    const { rules = null, plugin = null, root = '/proc', files } = options;
    if (typeof policy.scheme !== 'string' && !plugin)
      throw new TypeError('a scheme from a module needs a guard, which has workers');
    // A rule that is not asked protects nobody.
    if (policy.rules.length > 0 && !rules) throw new TypeError('policy.rules must be opened (openRules), got nothing');
    this.rules = rules;
    this.plugin = plugin;
    this.engine = engine;
    this.domain = domain;
    this.pageSize = readMachine(root).pageSize;
    const own = exemptOwnAnd(policy.never, root);
    this.exempt = (staged) => more(staged) | own(staged) | (domain.exempt?.(staged) ?? 0);
    const { rootTgid } = domain;
    const scheme = builtInScheme(policy.scheme);
    this.options = { scheme, ...policy.parameters, ...(rootTgid ? { rootTgid } : {}) };
    // Nobody knows what a plug-in makes of a bound.
    const bounded = plugin ? undefined : BOUNDED_SCHEMES.find((one) => one === scheme);
    const { members } = domain;
    const read = { root, exempt: this.exempt, ...(members ? { members } : {}) };
    this.read = read;
    const scanning = { ...(rules ? { rules } : {}), ...(files ? { files } : {}) };
    this.scanner = bounded ? new ProcScanner(engine, { ...this.options, ...read, ...scanning, scheme: bounded }) : null;
  }

  choose(): Choice {
    const { engine, rules } = this;
    const totalPages = this.totalPages();
    const options = { ...this.options, totalPages };
    if (this.scanner) {
      const { outcome, slot, tasks } = this.scanner.decide(totalPages);
      return { outcome, slot, tasks, options, rules };
    }
    const { tasks } = readTasks(engine, this.read);
    return { ...selectBy(engine, options, { rules, plugin: this.plugin }), tasks, options, rules };
  }

  /**
   * The ids of the `count` worst tasks of the choice just made, worst first. All of them were read in full then, so nobody
   * who was left out has more points. There are fewer where it would take too many readings to tell who the last of them are:
   * among thousands of equals everybody would have to be read.
   */
  worst(count: number, { options }: Choice): number[] {
    const scheme = schemeNumber(options.scheme);
    let left = Math.max(READ_LEAST, 2 * count);
    for (let width = count; ; width = Math.max(count, Math.min(width * 2, WIDTH_MAX))) {
      const slots = worstSlots(this.engine, scheme, width);
      const bounds = slots.filter((slot) => isBound(this.engine, slot));
      if (bounds.length === 0 || left <= 0) {
        const known = slots.findIndex((slot) => isBound(this.engine, slot));
        const worst = slots.slice(0, known < 0 ? count : Math.min(known, count));
        // Whoever is looked at for a rule may have another place then.
        if (!worst.some((slot) => this.rules?.settle(slot))) return worst.map((slot) => this.engine.u32(L.C_ID, slot));
      }
      if (left > 0) for (const slot of bounds) this.scanner?.readFully(slot);
      left -= bounds.length;
      this.rescore(options);
    }
  }

  /** After a row was read in full; without bounds no row changes but by its rules. */
  private rescore(options: ScoreOptions): void {
    if (!this.scanner) return;
    scoreTasks(this.engine, options);
    this.rules?.adjust();
  }

  /** Memory and swap of the domain, which kernel schemes scale by. */
  totalPages(): number {
    return totalPagesOf(this.domain.reader.read(), this.pageSize);
  }

  /**
   * The row of a task in the current snapshot, read in full and scored with the options of its choice; below 0 when
   * the task was not seen.
   */
  rowOf(tgid: number, { options }: Choice): number {
    const slot = slotOf(this.engine, tgid);
    if (slot < 0) return slot;
    this.scanner?.readFully(slot);
    this.rules?.settle(slot);
    this.rescore(options);
    return slot;
  }

  /** Who of these may not be chosen for what they are, and why; those that were not seen are left out. For many: all are scored at once. */
  ineligible(tgids: readonly number[], { options }: Choice): Map<number, Ineligible> {
    const { engine } = this;
    const seen = tgids.map((tgid) => slotOf(engine, tgid)).filter((slot) => slot >= 0);
    for (const slot of seen) {
      this.scanner?.readFully(slot);
      this.rules?.settle(slot);
    }
    this.rescore(options);
    const without = seen.filter((slot) => Number.isNaN(engine.f64(L.C_POINTS, slot)));
    const found = without.map((slot) => rankedAt(engine, slot, options.scheme));
    return new Map(found.flatMap(({ tgid, reason }) => (reason && LASTING.has(reason) ? [[tgid, reason]] : [])));
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
    } catch (error) {
      // Else it is gone, which is what null says.
      if (isOutOfDescriptors(error)) throw error;
    }
    return null;
  }

  /** Before a kill: gives descriptors back where this process has none left. */
  makeRoom(): void {
    this.scanner?.makeRoom();
  }

  close(): void {
    this.scanner?.close();
  }
}
