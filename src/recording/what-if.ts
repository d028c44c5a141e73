/**
 * Stage: table → selection, of a recording, twice. Where a policy would decide otherwise than another one, and why: the tasks of a
 * snapshot are read once, and both policies choose among them. Every snapshot stands for itself, as though nobody had died before.
 */
import * as L from '../../assembly/layout.js';
import { type Engine, openEngine } from '../engine.js';
import type { Choice } from '../guard/world.js';
import { CommColumn } from '../policy/comm-column.js';
import { matchesAny } from '../policy/glob.js';
import { definePolicy, type Policy } from '../policy/policy.js';
import type { RuleHit } from '../policy/row-rules.js';
import { plainPoints } from '../policy/rule-verdict.js';
import { memorySource } from '../pressure/memory-source.js';
import { isShort, type PressureLevel } from '../pressure/memory-state.js';
import { compareLevels, type PressureSource } from '../pressure/pressure.js';
import { type Ineligible, rankedAt } from '../rank.js';
import { MACHINE_DEFAULTS, type Machine } from '../task.js';
import { openRecordedChooser, type RecordedChooser } from './choose.js';
import { KeptTable } from './kept-table.js';
import { RecordedFiles } from './recorded-files.js';
import type { Recording } from './recording.js';
import { LAST_MS, policyRecorded, sourceOf, tasksMost } from './replay-guard.js';

/** How a task stands by one policy. */
export interface Standing {
  readonly tgid: number;
  readonly comm: string;
  /** As rules left them; null where it may not be chosen. */
  readonly points: number | null;
  /** What a rule put before, or after, everybody else. */
  readonly class: 'first' | 'last' | null;
  /** Why it may not be chosen; `rule`: by a rule, or its name is on the never list. */
  readonly reason: Ineligible | null;
  /** What would come back, bytes. */
  readonly chargeBytes: number;
  /** What rules did to it. */
  readonly rules: readonly RuleHit[];
}

/** What one policy would do at a snapshot. */
export interface Verdict {
  /** How short memory is by its thresholds. */
  readonly level: PressureLevel;
  /** `not-short`: it would not act. `no-victim`: nobody may be chosen. `in-flight`: it would wait for one that is dying. */
  readonly outcome: 'victim' | 'no-victim' | 'in-flight' | 'not-short';
  /** The first one to be sent; null without a victim. */
  readonly signal: 'SIGTERM' | 'SIGKILL' | null;
  readonly victim: Standing | null;
  /** How the other policy's victim stands by this one; null where there is no other, or this one would not act. */
  readonly other: Standing | null;
}

/** A snapshot at which another victim would be chosen, or the same be sent another signal. */
export interface WhatIfChange {
  /** Place of the snapshot, from 0, and its time since the first, ms. */
  readonly snapshot: number;
  readonly atMs: number;
  readonly old: Verdict;
  readonly new: Verdict;
}

/** The two policies, and where they are asked. */
export interface WhatIfOptions {
  /** The new policy. Its `enforce`, reaction and pauses are not heeded. */
  readonly policy: Policy;
  /** The old one. Default: the policy that the recording holds, else that of an empty file. */
  readonly against?: Policy;
  /** With room for its tasks. Default: one of its own. */
  readonly engine?: Engine;
  /** Decide at every snapshot, as though memory were short at each. Default false. */
  readonly all?: boolean;
}

/** Where two policies differ on one recording. */
export interface WhatIf {
  readonly changes: readonly WhatIfChange[];
  /** Snapshots that there are, and those at which one of the two would act. */
  readonly snapshots: number;
  readonly decided: number;
  /** Task evaluations: tasks that one policy gave points to at one snapshot. */
  readonly evaluations: number;
}

/** One of the two policies at work. */
interface Side {
  readonly chooser: RecordedChooser;
  readonly source: PressureSource;
  /** Whether a comm is on its never list, as far as somebody asked. */
  readonly never: Map<string, boolean>;
}

interface Decided {
  readonly level: PressureLevel;
  readonly choice: Choice | null;
}

async function sideOf(engine: Engine, files: RecordedFiles, policy: Policy): Promise<Side> {
  const chooser = await openRecordedChooser(engine, files, policy);
  const memory = memorySource(chooser.memory, { thresholds: policy.thresholds });
  return { chooser, source: sourceOf(policy, memory, files), never: new Map() };
}

function isNever({ chooser, never }: Side, comm: string): boolean {
  const known = never.get(comm);
  if (known !== undefined) return known;
  const is = matchesAny(chooser.policy.never, comm);
  never.set(comm, is);
  return is;
}

class Comparison {
  readonly changes: WhatIfChange[] = [];
  decided = 0;
  evaluations = 0;
  readonly #engine: Engine;
  readonly #files: RecordedFiles;
  readonly #sides: readonly [old: Side, new: Side];
  readonly #all: boolean;
  #machine: Machine = MACHINE_DEFAULTS;
  readonly #table: KeptTable;
  readonly #comms: CommColumn;

  constructor(engine: Engine, files: RecordedFiles, sides: readonly [Side, Side], all: boolean) {
    this.#engine = engine;
    this.#comms = new CommColumn(engine);
    this.#table = new KeptTable(engine, files);
    this.#files = files;
    this.#sides = sides;
    this.#all = all;
  }

  look(index: number): void {
    this.#files.moveTo(index);
    this.#table.note(this.#files.recording.snapshots[index]!);
    const [oldLevel, newLevel] = this.#sides.map((side) => this.#level(side)) as [PressureLevel, PressureLevel];
    if (!isShort(oldLevel) && !isShort(newLevel)) return;
    this.decided += 1;
    this.#machine = this.#table.load();
    this.#comms.begin();
    const [before, after] = this.#sides;
    const old = this.#decide(before, oldLevel);
    const now = this.#decide(after, newLevel);
    for (const { choice } of [old, now]) if (choice) this.evaluations += this.#engine.count;
    if (isSame(old, now)) return;
    const { snapshots } = this.#files.recording;
    // Points in the engine are those of the policy that chose last.
    const said = this.#verdict(now, old);
    if (old.choice) this.#decide(before, oldLevel);
    const atMs = snapshots[index]!.monotonicMs - snapshots[0]!.monotonicMs;
    this.changes.push({ snapshot: index, atMs, old: this.#verdict(old, now), new: said });
  }

  /** The most urgent one while the snapshot stands: a level may have to last before it counts. */
  #level({ source, chooser: { policy } }: Side): PressureLevel {
    const { moment, recording, index, facts } = this.#files;
    const endMs = (recording.snapshots[index + 1]?.monotonicMs ?? moment.monotonicMs + LAST_MS + 1) - 1;
    const first = source.read(moment.monotonicMs);
    const last = policy.pressure.forMs > 0 && endMs > moment.monotonicMs ? source.read(endMs) : first;
    const level = compareLevels(last.level, first.level) > 0 ? last.level : first.level;
    // Somebody decided here, and nobody wrote down how short memory was.
    const wasShort = facts.decision !== null && first.error !== null;
    return !isShort(level) && (this.#all || wasShort) ? 'term' : level;
  }

  #decide(side: Side, level: PressureLevel): Decided {
    if (!isShort(level)) return { level, choice: null };
    const engine = this.#engine;
    const { flags } = this.#table;
    const cells = new Uint32Array(engine.memory.buffer, engine.cell(L.C_FLAGS, 0, 4), flags.length);
    // The other policy, and the rules of this one, left their own.
    cells.set(flags);
    for (let slot = 0; slot < cells.length; ++slot) {
      if (isNever(side, this.#comms.at(slot))) cells[slot]! |= L.TASK_RULE_NEVER;
    }
    engine.view.setUint32(engine.snapshot + L.S_PREPARED, 0, true);
    return { level, choice: side.chooser.chooseAmong(this.#machine) };
  }

  /** While the points in the engine are those of `own`. */
  #verdict({ level, choice }: Decided, other: Decided): Verdict {
    if (choice === null) return { level, outcome: 'not-short', signal: null, victim: null, other: null };
    const otherSlot = other.choice?.slot ?? -1;
    return {
      level,
      outcome: choice.outcome,
      signal: choice.slot < 0 ? null : level === 'kill' ? 'SIGKILL' : 'SIGTERM',
      victim: choice.slot < 0 ? null : this.#standing(choice, choice.slot),
      other: otherSlot < 0 || otherSlot === choice.slot ? null : this.#standing(choice, otherSlot),
    };
  }

  #standing({ options, rules }: Choice, slot: number): Standing {
    const task = rankedAt(this.#engine, slot, options.scheme);
    const { tgid, comm, reason, chargePages } = task;
    const { points = null, class: order = null } = task.points === null ? {} : plainPoints(task.points);
    const chargeBytes = chargePages * this.#machine.pageSize;
    return { tgid, comm, points, class: order, reason, chargeBytes, rules: rules?.hitsOf(slot) ?? [] };
  }
}

/** Nobody is nobody, whatever the cause. */
function isSame(old: Decided, now: Decided): boolean {
  const [before, after] = [old.choice?.slot ?? -1, now.choice?.slot ?? -1];
  return before < 0 || after < 0 ? before < 0 && after < 0 : before === after && old.level === now.level;
}

/**
 * Where in a recording the new policy would decide otherwise than the old one. A policy decides at the snapshots at which memory is
 * short by its thresholds, stalls and duration; and where somebody decided when it was recorded, if memory is not known there. Nobody is
 * signalled. Rejects with TypeError or RangeError for a policy that cannot be used, PolicyFileError for that of the recording,
 * BadnessError `ENOTLINUX` or `ETASKLINE` for a snapshot without a machine or with bad records.
 */
export async function whatIf(recording: Recording, options: WhatIfOptions): Promise<WhatIf> {
  const against = options.against ?? (await policyRecorded(recording)) ?? definePolicy();
  const engine = options.engine ?? (await openEngine({ maxTasks: tasksMost(recording) }));
  const files = new RecordedFiles(recording);
  const sides = [await sideOf(engine, files, against), await sideOf(engine, files, options.policy)] as const;
  const comparison = new Comparison(engine, files, sides, options.all ?? false);
  for (let index = 0; index < recording.snapshots.length; ++index) comparison.look(index);
  const { changes, decided, evaluations } = comparison;
  return { changes, snapshots: recording.snapshots.length, decided, evaluations };
}
