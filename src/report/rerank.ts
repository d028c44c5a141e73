/**
 * Stage: table → points → selection → report. The table of a report goes through the engine, by the scheme of the kernel
 * that printed it and by every other. The kernel's own must name the kernel's victim; where it does not, doubts.ts says
 * why that cannot be known.
 */
import {
  type Engine,
  ineligibleTasks,
  loadTasks,
  type Outcome,
  type RankedTask,
  type Ranking,
  rankTasks,
  SCHEMES,
  type SchemeName,
} from '../index.js';
import { type Doubt, doubtsOf } from './doubts.js';
import { type Era, eraOf } from './era.js';
import { choseNobody, type OomEvent, slotOf, victimOf } from './event.js';
import type { Named } from './kill-lines.js';
import { type PageSize, type PageTables, pageSizeOf, pageTablesOf, type TotalPages, totalPagesOf } from './sizes.js';
import { type Missing, machineOf, missingFor, tasksOf } from './tasks.js';

/** Whom one scheme would have chosen. */
export interface SchemeChoice {
  scheme: SchemeName;
  outcome: Outcome;
  victim: RankedTask | null;
  /** Whether that is whom the kernel chose; null where the log does not say or has no row of it. */
  same: boolean | null;
  /** What the scheme reckons with and the report does not have. */
  missing: Missing[];
}

/** The table of an event, ranked again by the schemes of its kernel. */
export interface Reranking {
  era: Era;
  page: PageSize;
  pageTables: PageTables | null;
  totalPages: TotalPages;
  /** Whom the kernel's scheme chose; null where the log does not say. A child may have been killed in its place. */
  chosen: Named | null;
  /** The row of that one in the table, and its slot in the engine; -1 where it has none. */
  chosenSlot: number;
  /** The kernel's scheme; null where nothing tells the kernel. */
  scheme: SchemeName | null;
  /** By that scheme, everybody; null without a table or a scheme. */
  ranking: Ranking | null;
  /** Those who could not be chosen, in the order of the table. */
  ineligible: RankedTask[];
  /** Whether that names whom the kernel chose; null where there is nothing to compare. */
  same: boolean | null;
  /** Why it does not, or why that says little. Empty when it does, whatever the report leaves open. */
  doubts: Doubt[];
  /** Every scheme that a report suffices for, the kernels' in the order of their years; empty without a table. */
  schemes: SchemeChoice[];
}

/** Families are sessions, and no report says the session of a task. */
const SUFFICES = SCHEMES.filter((scheme) => scheme !== 'family');

/** Puts the rows of `event` into the engine and asks for rankings of them. */
class Table {
  constructor(
    private readonly engine: Engine,
    private readonly event: OomEvent,
    private readonly totalPages: TotalPages,
    pageSize: number,
    private readonly chosenSlot: number,
  ) {
    loadTasks(engine, tasksOf(event.rows, pageSize), machineOf(pageSize, totalPages.low));
  }

  rank(scheme: SchemeName, totalPages = this.totalPages.low, limit = 0): Ranking {
    return rankTasks(this.engine, { scheme, totalPages, limit });
  }

  choice(scheme: SchemeName): SchemeChoice {
    const { outcome, victim } = this.rank(scheme);
    const same = this.chosenSlot < 0 ? null : victim?.slot === this.chosenSlot;
    return { scheme, outcome, victim, same, missing: missingFor(scheme, this.event.header!) };
  }

  /** Whether `scheme` chooses the same whatever the total is. But for rounding points are linear in it (or in its inverse), so the ends suffice. */
  isSettled(scheme: SchemeName): boolean {
    const { low, high } = this.totalPages;
    return low === high || this.rank(scheme).victim?.slot === this.rank(scheme, high).victim?.slot;
  }
}

/** The newest scheme of the kernels in question that names the kernel's victim, or else the newest. */
function schemeOf({ candidates }: Era, schemes: SchemeChoice[]): SchemeName | null {
  const agreeing = schemes.filter(({ scheme, same }) => same && candidates.includes(scheme));
  return agreeing.at(-1)?.scheme ?? candidates.at(-1) ?? null;
}

/**
 * Ranks the table of `event` again in every scheme. The engine's current snapshot is the table afterwards,
 * scored by the kernel's scheme. Throws
 * RangeError when the event has more rows than the engine has room for (`engine.capacity`).
 */
export function rerank(engine: Engine, event: OomEvent): Reranking {
  const era = eraOf(event);
  const page = pageSizeOf(event);
  const totalPages = totalPagesOf(event, page.pageSize);
  const chosen = event.selected ?? victimOf(event);
  const chosenSlot = chosen ? slotOf(event, chosen.pid) : -1;
  const known = { era, page, totalPages, chosen, chosenSlot, pageTables: pageTablesOf(event) };
  if (event.header === null || event.rows.length === 0) {
    const scheme = era.candidates.at(-1) ?? null;
    const nothing = { ...known, scheme, ranking: null, ineligible: [], same: null, schemes: [] };
    return { ...nothing, doubts: doubtsOf(event, { ...nothing, settled: true }) };
  }
  const table = new Table(engine, event, totalPages, page.pageSize, chosenSlot);
  const schemes = SUFFICES.map((scheme) => table.choice(scheme));
  const scheme = schemeOf(era, schemes);
  const settled = scheme === null || table.isSettled(scheme);
  const ranking = scheme && table.rank(scheme, totalPages.low, event.rows.length);
  const ineligible = scheme === null ? [] : ineligibleTasks(engine, scheme);
  const named = ranking && chosenSlot >= 0 ? ranking.victim?.slot === chosenSlot : null;
  const same = choseNobody(event) ? null : named;
  const found = { ...known, scheme, ranking, ineligible, same, schemes };
  return { ...found, doubts: doubtsOf(event, { ...found, settled }) };
}
