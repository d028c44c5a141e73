/**
 * Stage: selection → candidate queue. `badness ctl oom --feed`: the ranker that the 2005 proposal left to user space, as a process of
 * its own. Ranks this machine with an engine of its own and writes the worst into the queue of a guard, again and again.
 */
import { askControl } from '../control/index.js';
import { RankedPids } from '../linux/index.js';
import { definePolicy } from '../policy/index.js';
import { integer, schemeNamed, scoreOptions } from './arguments.js';
import { stoppedWithin, stopSignal } from './long-run.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';
import { openEngineFor } from './source.js';

const COUNT_DEFAULT = 10;
const COUNT_MOST = 4096;
const EVERY_MS = 1000;
const EVERY_LEAST_MS = 20;
const EVERY_MOST_MS = 60_000;
/** A ranking that is late, or fails once, does not yet make its list stale. */
const LIST_LASTS = 3;

/** Feeds until SIGTERM or SIGINT. Rejects as askControl, when the guard is gone; `place` is asked for it when the options are right. */
export async function feedQueue(place: () => string, values: Values): Promise<void> {
  const count = integer('-n', values.count ?? String(COUNT_DEFAULT), 1, COUNT_MOST);
  const everyMs = integer('--every', values.every ?? String(EVERY_MS), EVERY_LEAST_MS, EVERY_MOST_MS);
  const { scheme } = values;
  const policy = definePolicy({
    domain: 'system',
    scheme: scheme === undefined ? undefined : schemeNamed(scheme),
    parameters: scoreOptions(values),
  });
  const path = place();
  const stop = stopSignal();
  const ranked = new RankedPids(await openEngineFor('/proc'), { policy, count });
  const feeding = `feeding ${path}: the ${count} worst by scheme ${policy.scheme}, every ${everyMs} ms`;
  let told = false;
  do {
    const began = performance.now();
    const body = ranked.read().join(' ');
    // A list that nobody renews is none any more. Whoever ended since it was ranked is left out.
    const lastsMs = LIST_LASTS * everyMs + Math.ceil(performance.now() - began);
    await askControl(path, { method: 'PUT', resource: `/oom?missing=drop&lasts_ms=${lastsMs}`, body });
    if (!told) await writeLines([feeding]);
    told = true;
  } while (!(await stoppedWithin(everyMs, stop)));
  await askControl(path, { method: 'PUT', resource: '/oom' });
}
