/**
 * Stage: report. Events of a kernel log as a recording: each table that the kernel printed is a snapshot, of task records, and of the memory
 * that the report tells. It holds what a report knows and no more; comments say so to whoever reads it.
 */
import type { Engine } from '../engine.js';
import type { MemoryState } from '../pressure/memory-state.js';
import type { OomEvent, Reranking } from '../report/index.js';
import { SNAPSHOT_FACTS_DEFAULT } from './recording.js';
import { recordsText, rowsIn } from './table-rows.js';
import { RecordingWriter } from './writer.js';

const HEAD = [
  'Made from a kernel log: task records, and memory as the reports tell it, not files.',
  'No report says how long a task has run, who its parent is, or what user it acts as: those are 0 or absent.',
  'What is available is estimated: free, file pages and reclaimable slab; of a cgroup what its limit leaves, and file pages.',
];

const KIB = 1024;

/** What no kill is needed for, of the counters of the report, in KiB. Null where it has none. */
function machineMemory({ memory }: OomEvent, pageSize: number): MemoryState | null {
  const { ramPages, reservedPages, totalSwapKb, freeSwapKb, counters } = memory;
  const pages = (...names: string[]) => names.reduce((sum, name) => sum + (counters[name] ?? 0), 0);
  const kib = (count: number) => Math.floor((count * pageSize) / KIB);
  if (ramPages === null || counters.free === undefined) return null;
  const totalKib = kib(Math.max(ramPages - (reservedPages ?? 0), 0));
  const availableKib = Math.min(totalKib, kib(pages('free', 'active_file', 'inactive_file', 'slab_reclaimable')));
  const swapTotalKib = totalSwapKb ?? 0;
  return {
    totalKib,
    availableKib,
    basisKib: Math.max(1, availableKib + kib(pages('active_anon', 'inactive_anon'))),
    swapTotalKib,
    swapFreeKib: Math.min(swapTotalKib, freeSwapKb ?? 0),
  };
}

function cgroupMemory({ cgroup, memory: { totalSwapKb, freeSwapKb } }: OomEvent): MemoryState | null {
  const { memory, stats } = cgroup;
  if (memory?.limitKb == null) return null;
  const kib = (...names: string[]) => Math.floor(names.reduce((sum, name) => sum + (stats[name] ?? 0), 0) / KIB);
  const { limitKb: totalKib, usageKb } = memory;
  const file = kib('inactive_file', 'active_file') || kib('total_inactive_file', 'total_active_file');
  const availableKib = Math.max(0, Math.min(totalKib, totalKib - usageKb + file));
  const swapTotalKib = totalSwapKb ?? 0;
  return {
    totalKib,
    availableKib,
    basisKib: Math.max(1, availableKib + (kib('anon') || kib('total_rss'))),
    swapTotalKib,
    swapFreeKib: Math.min(swapTotalKib, freeSwapKb ?? 0),
  };
}

/** The kernel's own rule as a policy, for whoever lets a guard replay it: no list of names spares anybody there. */
function policyText({ scheme }: Reranking): string {
  return `version = 1\nscheme = "${scheme ?? 'badness'}"\nnever = []\n`;
}

/** One recording of the events of one log, in their order. */
export class ReportRecorder {
  readonly #writer = new RecordingWriter();
  readonly #madeBy: string | null;
  #lastMs = -1;

  constructor(madeBy: string | null = null) {
    this.#madeBy = madeBy;
  }

  /**
   * The text to be appended for an event that was just reranked in `engine`; before the first one the head, with the policy of that
   * kernel. `told`: its JSON (eventToJson). Null for an event without a table.
   */
  event(engine: Engine, event: OomEvent, reranking: Reranking, told: string): string | null {
    if (event.header === null || event.rows.length === 0) return null;
    const head = this.#lastMs < 0 ? this.#head(event, reranking) : '';
    const { pageSize } = reranking.page;
    // A log may hold several boots, and events of one moment.
    this.#lastMs = Math.max(this.#lastMs + 1, Math.round((event.uptimeS ?? 0) * 1000));
    const { scheme, totalPages } = reranking;
    const machine = { hz: 100, pageSize, uptimeS: 0, totalPages: totalPages.low };
    const rows = rowsIn(engine);
    const comments = [`lines ${event.firstLine} to ${event.lastLine} of the log`, `${event.rows.length} tasks`];
    const memory = event.cgroup.memory ? cgroupMemory(event) : machineMemory(event, pageSize);
    const tasks = recordsText(machine, scheme === null ? {} : { scheme }, rows);
    const text = this.#writer.snapshot(
      {
        ...{ monotonicMs: this.#lastMs, bootMs: this.#lastMs, wallMs: Number.NaN },
        ...{ entries: new Map(), owners: new Map() },
        facts: { ...SNAPSHOT_FACTS_DEFAULT, marks: rows.marks, memory, tasks, decision: `${told}\n` },
      },
      comments,
    );
    return head + text;
  }

  #head({ release }: OomEvent, reranking: Reranking): string {
    const facts = {
      ...{ madeBy: this.#madeBy, kernel: release, pageSize: reranking.page.pageSize, policy: policyText(reranking) },
      domain: { kind: 'measured', name: 'kernel log', rootTgid: 0 } as const,
    };
    return this.#writer.head(facts, HEAD);
  }

  /** What comes last; empty when there was no event with a table. */
  tail(): string {
    return this.#lastMs < 0 ? '' : this.#writer.tail();
  }
}
