/**
 * Stage: table → selection → report, of what has not happened. If memory fell so low: who would be chosen, in which order, and how much
 * each gives back, until it is not short any more. An estimate, whose assumptions go with it; nobody is signalled.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import {
  isShort,
  levelOf,
  type MemoryState,
  type PressureLevel,
  swapCounts,
  totalPagesOf,
} from '../pressure/memory-state.js';
import type { RankedTask, ScoreOptions } from '../rank.js';
import { slotOf } from '../rows.js';
import type { SchemeName } from '../schemes.js';
import { namedScheme } from './plugin-scheme.js';
import type { Policy } from './policy.js';
import { rowBy, type SelectedBy, selectBy } from './rank-by.js';
import type { RowRules } from './row-rules.js';
import { boundOf, type Threshold } from './threshold.js';

const KIB = 1024;
const MOST = 1000;

/** What is foreseen: a policy, memory now, and memory then. */
export interface PreviewOptions {
  readonly policy: Policy;
  /** Memory of the domain now. */
  readonly memory: MemoryState;
  /** What is available then: percent are of what thresholds are percent of. */
  readonly available: Threshold;
  /** What swap is free then. Default 0: memory that is so short has filled it. */
  readonly swapFree?: Threshold;
  /** Those of the policy, opened for this engine. */
  readonly rules?: RowRules | null;
  /** Pids that share memory, a group each; null where nobody looked. */
  readonly shares?: readonly (readonly number[])[] | null;
  /** Root of the domain, for schemes that count families from it. */
  readonly rootTgid?: number;
  /** Deaths at most, 1 … 1,000. Default 1,000. */
  readonly most?: number;
}

/** One who would go, and what that brings. */
export interface PreviewedKill {
  readonly task: RankedTask;
  /** With what it would begin. */
  readonly signal: 'SIGTERM' | 'SIGKILL';
  /** Others of the same memory, who go with it and bring nothing more. */
  readonly sharers: readonly number[];
  readonly backKib: number;
  /** Swap that becomes free. */
  readonly swapBackKib: number;
  /** What it holds and does not give back: shared memory and files. */
  readonly staysKib: number;
  /** Only its size is known, so all of it is taken to come back. */
  readonly assumed: boolean;
  /** Memory after it. */
  readonly after: MemoryState;
}

/**
 * `enough`: memory is not short any more. `not-short`: it is not at all at what was asked. `nobody`: it still is, and nobody may be
 * chosen. `in-flight`: the scheme's kernel would wait for somebody who is dying. `most`: more than were asked for.
 */
export type PreviewEnd = 'enough' | 'not-short' | 'nobody' | 'in-flight' | 'most';

/** Who dies in which order when memory falls to a point, and what each gives back. */
export interface Preview {
  /** Memory when it begins, and its level. */
  readonly start: MemoryState;
  readonly level: PressureLevel;
  readonly kills: readonly PreviewedKill[];
  readonly end: PreviewEnd;
  /** What it rests on, in words. */
  readonly assumptions: readonly string[];
}

/** Memory as it would be when so much is available. What is available less is held by somebody, so percentages stay of the same. */
function startOf({ memory, available, swapFree = { percent: 0 } }: PreviewOptions): MemoryState {
  const least = (threshold: Threshold, total: number) => Math.floor(boundOf(threshold, total, KIB));
  const { totalKib, basisKib, swapTotalKib } = memory;
  return {
    totalKib,
    availableKib: Math.min(totalKib, least(available, basisKib)),
    basisKib,
    swapTotalKib,
    swapFreeKib: Math.min(swapTotalKib, least(swapFree, swapTotalKib)),
  };
}

class Previewing {
  readonly #engine: Engine;
  readonly #options: PreviewOptions;
  readonly #scoring: ScoreOptions & { scheme: SchemeName };
  readonly #pageKib: number;

  constructor(engine: Engine, options: PreviewOptions) {
    const { policy, memory, rootTgid } = options;
    const pageSize = engine.view.getUint32(engine.snapshot + L.S_PAGE_SIZE, true);
    this.#engine = engine;
    this.#options = options;
    this.#pageKib = pageSize / KIB;
    this.#scoring = {
      ...policy.parameters,
      scheme: namedScheme(policy),
      totalPages: totalPagesOf(memory, pageSize),
      ...(rootTgid ? { rootTgid } : {}),
    };
  }

  select(): SelectedBy {
    return selectBy(this.#engine, this.#scoring, { rules: this.#options.rules });
  }

  /** The task in a row goes, and all who share its memory. */
  kill(slot: number, before: MemoryState, level: 'term' | 'kill'): PreviewedKill {
    const engine = this.#engine;
    const task = rowBy(engine, slot, this.#scoring.scheme, this.#options.rules);
    const assumed = task.rssAnonPages === 0 && task.rssShmemPages === 0;
    const anonPages = assumed ? task.rssPages : task.rssAnonPages;
    const backKib = Math.floor(anonPages * this.#pageKib + task.pgtablesBytes / KIB);
    const swapBackKib = Math.floor(task.swapPages * this.#pageKib);
    const sharers = this.#sharersOf(task.tgid);
    for (const tgid of [task.tgid, ...sharers]) this.#end(tgid);
    return {
      task: { ...task, rank: 1 },
      signal: level === 'kill' ? 'SIGKILL' : 'SIGTERM',
      ...{ sharers, backKib, swapBackKib, assumed },
      staysKib: Math.floor((task.rssPages - anonPages) * this.#pageKib),
      after: {
        ...before,
        availableKib: Math.min(before.totalKib, before.availableKib + backKib),
        swapFreeKib: Math.min(before.swapTotalKib, before.swapFreeKib + swapBackKib),
      },
    };
  }

  #sharersOf(tgid: number): number[] {
    const group = this.#options.shares?.find((pids) => pids.includes(tgid)) ?? [];
    return group.filter((pid) => pid !== tgid && slotOf(this.#engine, pid) >= 0);
  }

  /** A row without memory cannot be chosen, and counts for no family. */
  #end(tgid: number): void {
    const { fields, abi, window: w } = this.#engine;
    fields.fill(0);
    fields[L.FIELD_TGID] = tgid;
    fields[L.FIELD_START_TIME_TICKS] = L.QUANTITY_MAX;
    abi.table_refresh(w, slotOf(this.#engine, tgid));
  }
}

function assumptionsOf({ shares, memory }: PreviewOptions, kills: readonly PreviewedKill[]): string[] {
  const words = [
    'anonymous memory and page tables come back, and swap becomes free; shared memory and files do not count',
    'everybody holds what it holds now: who makes memory fall so low is not known, and grows no further',
    'memory is back before the next one is chosen, and nobody else takes it',
  ];
  if (swapCounts(memory)) words.push('swap is as full as was asked, though nobody is charged with what fills it');
  if (shares === undefined || shares === null)
    words.push('who shares memory with whom is not known: each counts by itself');
  if (kills.some(({ assumed }) => assumed))
    words.push('of some only the size is known: all of it is taken to come back');
  return words;
}

/**
 * Previews on the current snapshot of the engine, which it uses up: who is gone is gone from it. Tasks that may not be chosen carry their
 * flags already (readTasks with `exempt`). Throws TypeError for a scheme from a module, or rules that were not opened.
 */
export function preview(engine: Engine, options: PreviewOptions): Preview {
  const { policy, rules, most = MOST } = options;
  namedScheme(policy);
  if (policy.rules.length > 0 && !rules) throw new TypeError('policy.rules must be opened, got nothing');
  const previewing = new Previewing(engine, options);
  const start = startOf(options);
  const first = levelOf(start, policy.thresholds);
  const kills: PreviewedKill[] = [];
  let end: PreviewEnd = isShort(first) ? 'enough' : 'not-short';
  for (let [state, level] = [start, first]; isShort(level); level = levelOf(state, policy.thresholds)) {
    const { outcome, slot } = previewing.select();
    if (slot < 0 || kills.length >= most) {
      end = slot >= 0 ? 'most' : outcome === 'in-flight' ? 'in-flight' : 'nobody';
      break;
    }
    const killed = previewing.kill(slot, state, level);
    kills.push(killed);
    state = killed.after;
  }
  return { start, level: first, kills, end, assumptions: assumptionsOf(options, kills) };
}
