/** Stage: bytes → lines → table, for a page. A kernel log: each event that has a table is a moment. */
import { factsOf, logLines, timeWords } from '../cli/report-facts.js';
import { ineligibleTasks, rankTasks, type Task } from '../index.js';
import { type OomEvent, type Reranking, readKernelLog, rerank } from '../report/index.js';
import type { EngineRoom } from './sources.js';
import type { Moment, Story } from './story.js';

function labelOf(event: OomEvent, index: number): string {
  const time = timeWords(event);
  return `event ${index + 1}${time === null ? '' : `, ${time}`}`;
}

/** The tasks of the table that was ranked last, in its order. */
function tasksOf(engine: Parameters<typeof rerank>[0], { ranking }: Reranking): Task[] {
  const scheme = ranking?.scheme ?? 'resident';
  const { ranked } = rankTasks(engine, { scheme });
  return [...ranked, ...ineligibleTasks(engine, scheme)].sort((a, b) => a.slot - b.slot);
}

async function momentOf(event: OomEvent, room: EngineRoom): Promise<Moment> {
  const engine = await room.engineFor(event.rows.length);
  const reranking = rerank(engine, event);
  const { scheme, page, totalPages, chosen, chosenSlot } = reranking;
  const tasks = event.rows.length === 0 ? [] : tasksOf(engine, reranking);
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
  const moments: Moment[] = [];
  for (const event of events) moments.push(await momentOf(event, room));
  const ranked = moments.filter(({ tasks }) => tasks.length > 0).length;
  const head = {
    ...({ kind: 'log', title: name, moments: events.map(labelOf), momentsS: events.map((_, index) => index) } as const),
    first: Math.max(
      moments.findIndex(({ tasks }) => tasks.length > 0),
      0,
    ),
    ...{ track: null, kills: [], notes: logLines(counts, events.length, ranked), policy: null },
  };
  return { head, surroundings: null, moment: (index) => moments[index]! };
}
