/**
 * Stage: selection → candidate queue. `badness ctl oom --feed`: the ranker that the 2005 proposal left to user space. Ranks this
 * machine with an engine of its own and writes the worst into the queue of a guard, again and again.
 */
import { askControl } from '../control/index.js';
import { DEFAULT_SCHEME, type Engine, type RankedTask, rankTasks, type ScoreOptions } from '../index.js';
import { readTasks } from '../linux/index.js';
import { matchGlob, NEVER_DEFAULT } from '../policy/index.js';
import { integer, schemeNamed, scoreOptions, type Values } from './arguments.js';
import { writeLines } from './output.js';
import { openEngineFor } from './source.js';

const COUNT_DEFAULT = 10;
const COUNT_MOST = 4096;
const EVERY_MS = 1000;
const EVERY_LEAST_MS = 20;
const EVERY_MOST_MS = 60_000;
/** A ranking that is late, or fails once, does not yet make its list stale. */
const LIST_LASTS = 3;

/** The worst of this machine, worst first. Those whom the guard would pass over by name are not worth a place. */
function worstPids(engine: Engine, scoring: ScoreOptions, count: number): number[] {
  const { machine } = readTasks(engine, { except: process.pid });
  const { ranked } = rankTasks(engine, { ...scoring, totalPages: machine.totalPages });
  const mayGo = ({ comm }: RankedTask) => !NEVER_DEFAULT.some((pattern) => matchGlob(pattern, comm));
  return ranked
    .filter(mayGo)
    .slice(0, count)
    .map(({ tgid }) => tgid);
}

/** Resolves with true when somebody has asked to stop, with false when the time is over. */
function sleep(ms: number, stop: AbortSignal): Promise<boolean> {
  if (stop.aborted) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    stop.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve(true);
      },
      { once: true },
    );
  });
}

/** Feeds until SIGTERM or SIGINT. Rejects as askControl, when the guard is gone. */
export async function feedQueue(path: string, values: Values): Promise<void> {
  const count = integer('-n', values.count ?? String(COUNT_DEFAULT), 1, COUNT_MOST);
  const everyMs = integer('--every', values.every ?? String(EVERY_MS), EVERY_LEAST_MS, EVERY_MOST_MS);
  const scheme = values.scheme?.at(-1);
  const scoring = { ...scoreOptions(values), ...(scheme === undefined ? {} : { scheme: schemeNamed(scheme) }) };
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const engine = await openEngineFor('/proc');
  // Whoever ended since it was ranked is left out; and a list that nobody renews is no list any more.
  const resource = `/oom?missing=drop&lasts_ms=${LIST_LASTS * everyMs}`;
  const feeding = `feeding ${path}: the ${count} worst by scheme ${scoring.scheme ?? DEFAULT_SCHEME}, every ${everyMs} ms`;
  let told = false;
  do {
    await askControl(path, { method: 'PUT', resource, body: worstPids(engine, scoring, count).join(' ') });
    if (!told) await writeLines([feeding]);
    told = true;
  } while (!(await sleep(everyMs, stop.signal)));
  await askControl(path, { method: 'PUT', resource: '/oom' });
}
