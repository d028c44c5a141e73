/**
 * Stage: points → selection. The rules of a policy on the rows of the current snapshot: between scoring and selecting
 * they change the points of the rows that they match.
 *
 * Rows that were read in full get what the rules make of them, as far as stat and status tell. Conditions on other files
 * are looked at only for the one that would win, and until then its points are the most that they can become. So are those
 * of rows that are bounds (src/linux/bounds.ts): times the largest ratio, plus the largest offset, first where one could be
 * first. Whoever wins on such points is read or looked at, and it is scored again, until the winner is known whole: nobody
 * else can have more, so it is the one that reading everything of everybody would give.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { ScoreOptions } from '../rank.js';
import { CommColumn } from './comm-column.js';
import {
  type CompiledRule,
  type FileCondition,
  matches,
  type OwnFacts,
  pagesOf,
  type Scale,
  type TextsOf,
} from './compiled-rule.js';
import {
  type Answers,
  bytesBy,
  effectWords,
  orderBy,
  orderedPoints,
  ratioBy,
  scaledPoints,
  shiftedPoints,
  type Verdict,
  verdictOf,
} from './rule-verdict.js';

/** Where the texts come from that stat and status do not have. */
export interface TaskTexts {
  /** A new round begins. */
  begin(): void;
  /** Whether another task may be looked at in this round. */
  mayLook(): boolean;
  /** See TextsOf. Null when it cannot be read. */
  read(tgid: number, ppid: number, condition: FileCondition): readonly string[] | null;
}

/**
 * Of tasks that have no files: conditions on files are never known of them. That nobody may be looked at leaves everybody at once to what
 * is known; one by one it would take a square of the rows.
 */
export const NO_TEXTS: TaskTexts = { begin() {}, mayLook: () => false, read: () => null };

const NOBODY_LOOKED: TextsOf = () => undefined;

/** What a rule did to a task. */
export interface RuleHit {
  /** Its place in the policy, from 1. */
  readonly rule: number;
  /** `never`, `times 3/2`, `plus 200MiB`, `class first`. */
  readonly effect: string;
  /** Points after it; null for `never`. A class leaves them as they are. */
  readonly points: number | null;
  /** Nobody could look whether it matches, so what is better for the task counts. */
  readonly assumed: boolean;
}

/** What the rules cost in a round. */
export interface RulesReport {
  /** Tasks of which other files than stat and status were looked at. */
  readonly looked: number;
  /** Tasks that were spared what could not be looked at: the budget was used up, or a file could not be read. */
  readonly spared: number;
}

interface RowState {
  answers: Answers;
  verdict: Verdict;
  /** As the scheme gave them. */
  points: number;
  settled: boolean;
}

/** Whether its points are only the most that they can be. */
function isPending({ settled, verdict }: RowState): boolean {
  return !settled && verdict.isOpen;
}

/** What raises the points of tasks that give back so much. */
interface Raise {
  readonly leastPages: number;
  readonly points: number;
}

/** One snapshot at a time: `begin` when there is another, `adjust` after each scoring. */
export class RowRules {
  readonly #engine: Engine;
  readonly #rules: readonly CompiledRule[];
  readonly #texts: TaskTexts;
  readonly #rows = new Map<number, RowState>();
  readonly #comms: CommColumn;
  /** Of a task that no rule matches, as most tasks are: it is the same for all of them, but for points, which nothing changes. */
  readonly #unmatched: RowState;
  #scale: Scale = { pageSize: 1, totalPages: 0 };
  #uptimeTicks = 0;
  /** Whether a point of the scheme is a thousandth of the total, and not a page. */
  #inThousandths = false;
  #looked = 0;
  #spared = 0;
  /** Whether nobody may be looked at any more in this round. */
  #isUsedUp = false;
  /** What a row that is a bound can come to. */
  #mostTimes = { times: 1, over: 1 };
  #raises: Raise[] = [];
  #firstPages = Number.POSITIVE_INFINITY;

  constructor(engine: Engine, rules: readonly CompiledRule[], texts: TaskTexts) {
    this.#engine = engine;
    this.#rules = rules;
    this.#texts = texts;
    this.#comms = new CommColumn(engine);
    const answers = rules.map(() => false);
    this.#unmatched = { answers, verdict: verdictOf(rules, answers, false), points: Number.NaN, settled: true };
  }

  get report(): RulesReport {
    return { looked: this.#looked, spared: this.#spared };
  }

  /** There is another snapshot. Throws RangeError for rules with a share of the total where `totalPages` is not given. */
  begin({ scheme, totalPages = 0 }: ScoreOptions): void {
    const pageSize = this.#engine.view.getUint32(this.#engine.snapshot + L.S_PAGE_SIZE, true);
    this.#scale = { pageSize, totalPages };
    this.#uptimeTicks = this.#engine.view.getFloat64(this.#engine.snapshot + L.S_UPTIME_TICKS, true);
    this.#inThousandths = scheme === 'linux-2.6.36' || scheme === 'linux-3.0';
    this.#rows.clear();
    this.#looked = 0;
    this.#spared = 0;
    this.#isUsedUp = false;
    this.#texts.begin();
    this.#comms.begin();
    this.#prepareBounds();
  }

  #prepareBounds(): void {
    const unknown = this.#rules.map(() => undefined);
    const least = ({ rule }: CompiledRule) => (rule.least ? pagesOf(rule.least, this.#scale) : 0);
    this.#mostTimes = ratioBy(verdictOf(this.#rules, unknown, false).times);
    this.#raises = this.#rules
      .filter(({ rule }) => rule.plus !== undefined)
      .map((one) => ({ leastPages: least(one), points: this.#offset(one) }));
    const firsts = this.#rules.filter((one) => orderBy(one) > 0);
    this.#firstPages = Math.min(Number.POSITIVE_INFINITY, ...firsts.map(least));
  }

  /** Points that an offset stands for, rounded towards 0. */
  #offset(compiled: CompiledRule | null): number {
    const { pageSize, totalPages } = this.#scale;
    const pages = Math.trunc(bytesBy(compiled) / pageSize);
    return this.#inThousandths ? Math.trunc((pages * 1000) / Math.max(totalPages, 1)) : pages;
  }

  /** Changes the points of the snapshot just scored. */
  adjust(): void {
    const engine = this.#engine;
    const { count, memory } = engine;
    const points = new Float64Array(memory.buffer, engine.cell(L.C_POINTS, 0, 8), count);
    const charges = new Float64Array(memory.buffer, engine.cell(L.C_CHARGE, 0, 8), count);
    const flags = new Uint32Array(memory.buffer, engine.cell(L.C_FLAGS, 0, 4), count);
    for (let slot = 0; slot < count; ++slot) {
      const value = points[slot]!;
      if (Number.isNaN(value)) continue;
      points[slot] = flags[slot]! & L.TASK_BOUND ? this.#bound(value, charges[slot]!) : this.#changed(slot, value);
    }
  }

  /** The most that the points of a row can become. */
  #bound(points: number, chargePages: number): number {
    let offset = 0;
    for (const raise of this.#raises) if (chargePages >= raise.leastPages) offset = Math.max(offset, raise.points);
    const most = shiftedPoints(scaledPoints(points, this.#mostTimes), offset);
    return orderedPoints(most, chargePages >= this.#firstPages ? 1 : 0);
  }

  #changed(slot: number, points: number): number {
    const state = this.#row(slot);
    if (state === this.#unmatched) return points;
    state.points = points;
    if (this.#isUsedUp && isPending(state)) this.#conclude(slot, state);
    const { never, times, offset, order } = state.verdict;
    if (never) return Number.NaN;
    const shifted = shiftedPoints(scaledPoints(points, ratioBy(times)), this.#offset(offset));
    return orderedPoints(shifted, orderBy(order));
  }

  #row(slot: number): RowState {
    const known = this.#rows.get(slot);
    if (known) return known;
    const state = this.#newRow(this.#ownFacts(slot));
    this.#rows.set(slot, state);
    if (state.verdict.never) this.#exclude(slot);
    return state;
  }

  #newRow(own: OwnFacts): RowState {
    for (const rule of this.#rules) {
      if (matches(rule, own, NOBODY_LOOKED, this.#scale) === false) continue;
      const answers = this.#answers(own, NOBODY_LOOKED);
      return { answers, verdict: verdictOf(this.#rules, answers, false), points: Number.NaN, settled: false };
    }
    return this.#unmatched;
  }

  #answers(own: OwnFacts, textsOf: TextsOf): Answers {
    return this.#rules.map((rule) => matches(rule, own, textsOf, this.#scale));
  }

  #ownFacts(slot: number): OwnFacts {
    const engine = this.#engine;
    return {
      comm: this.#comms.at(slot),
      uid: engine.u32(L.C_UID, slot),
      ageS: Math.max(this.#uptimeTicks - engine.f64(L.C_START_TICKS, slot), 0) / L.USER_HZ,
      chargePages: engine.f64(L.C_CHARGE, slot),
    };
  }

  /** From the next scoring on the engine itself knows that the task may not be chosen. */
  #exclude(slot: number): void {
    const { view, snapshot } = this.#engine;
    const at = this.#engine.cell(L.C_FLAGS, slot, 4);
    view.setUint32(at, view.getUint32(at, true) | L.TASK_RULE_NEVER, true);
    view.setUint32(snapshot + L.S_PREPARED, 0, true);
  }

  /**
   * Finds out what hangs on other files of the task in a row that was read in full, as far as that may be looked at; what
   * stays unknown counts in favour of the task. True when its points may be others now: then select again.
   */
  settle(slot: number): boolean {
    const state = this.#row(slot);
    if (!isPending(state)) return false;
    if (this.#texts.mayLook()) {
      this.#looked += 1;
      state.answers = this.#answers(this.#ownFacts(slot), this.#readerOf(slot));
      this.#conclude(slot, state);
    } else {
      // All the others are in the same case, and one by one they would take as long as looking.
      this.#isUsedUp = true;
      for (const [other, pending] of this.#rows) if (isPending(pending)) this.#conclude(other, pending);
    }
    return true;
  }

  #conclude(slot: number, state: RowState): void {
    if (verdictOf(this.#rules, state.answers, false).isOpen) this.#spared += 1;
    state.verdict = verdictOf(this.#rules, state.answers, true);
    state.settled = true;
    if (state.verdict.never) this.#exclude(slot);
    const { view } = this.#engine;
    view.setFloat64(this.#engine.cell(L.C_POINTS, slot, 8), this.#changed(slot, state.points), true);
  }

  /** Reads each text once. */
  #readerOf(slot: number): TextsOf {
    const engine = this.#engine;
    const read = new Map<FileCondition, readonly string[] | null>();
    return (condition) => {
      if (!read.has(condition)) {
        read.set(condition, this.#texts.read(engine.u32(L.C_ID, slot), engine.u32(L.C_PPID, slot), condition));
      }
      return read.get(condition);
    };
  }

  /** What the rules did to the task in a row since `begin`, in the order in which it counts. */
  hitsOf(slot: number): RuleHit[] {
    const state = this.#rows.get(slot);
    if (!state) return [];
    const { never, times, offset, order } = state.verdict;
    const hit = (by: CompiledRule, points: number | null): RuleHit => {
      const assumed = state.answers[by.number - 1] === undefined;
      return { rule: by.number, effect: effectWords(by.rule), points, assumed };
    };
    if (never) return [hit(never, null)];
    const scaled = scaledPoints(state.points, ratioBy(times));
    const shifted = shiftedPoints(scaled, this.#offset(offset));
    const after: [by: CompiledRule | null, points: number][] = [
      [times, scaled],
      [offset, shifted],
      [order, shifted],
    ];
    return after.flatMap(([by, points]) => (by ? [hit(by, points)] : []));
  }
}
