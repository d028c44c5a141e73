/** Stage: bytes → lines → table, for a page. A kernel log: each event that has a table is a moment. */
import { factsOf, logLines, timeWords } from '../cli/report-facts.js';
import { type OomEvent, readKernelLog, rerank } from '../report/index.js';
import type { EngineRoom } from './sources.js';
import type { Moment, Story } from './story.js';
import { tasksInTable } from './table-tasks.js';

function labelOf(event: OomEvent, index: number): string {
  const time = timeWords(event);
  return `event ${index + 1}${time === null ? '' : `, ${time}`}`;
}

function hasTable({ header, rows }: OomEvent): boolean {
  return header !== null && rows.length > 0;
}

async function momentOf(event: OomEvent, room: EngineRoom): Promise<Moment> {
  const engine = await room.engineFor(event.rows.length);
  const reranking = rerank(engine, event);
  const { scheme, page, totalPages, chosen, chosenSlot } = reranking;
  const tasks = hasTable(event) ? tasksInTable(engine, scheme ?? 'resident') : [];
  const child = event.killed && event.killed.pid !== chosen?.pid ? event.killed : null;
  return {
    tasks,
    machine: { hz: 100, pageSize: page.pageSize, uptimeS: 0, totalPages: totalPages.low },
    options: { scheme: scheme ?? 'resident' },
    facts: factsOf(event, reranking),
    kernelChose: chosen && { tgid: tasks[chosenSlot]?.tgid ?? chosen.pid, comm: chosen.comm },
    kernelKilledChild: child && { tgid: child.pid, comm: child.comm },
  };
}

/** Throws Error when there is no event in the log. */
export async function logStory(name: string, log: string | Uint8Array, room: EngineRoom): Promise<Story> {
  const { events, counts } = readKernelLog(log);
  if (events.length === 0) {
    throw new Error(`no event of the OOM killer in ${name}: ${logLines(counts, 0, 0)[0]}`);
  }
  const ranked = events.filter(hasTable).length;
  const head = {
    ...({ kind: 'log', moments: events.map(labelOf), momentsS: events.map((_, index) => index) } as const),
    first: Math.max(events.findIndex(hasTable), 0),
    ...{ track: null, kills: [], notes: logLines(counts, events.length, ranked), policy: null },
  };
  // A log may have thousands of events, of which somebody looks at a few.
  return { head, surroundings: null, moment: (index) => momentOf(events[index]!, room) };
}
