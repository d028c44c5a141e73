// node --expose-gc --max-semi-space-size=128 garbage.mjs FOLDER: bytes of JavaScript heap that one round allocates. No
// collection may run inside of a measurement, which the large young generation makes unlikely and a drop would show.
import { getHeapStatistics } from 'node:v8';
import { openEngine } from '../../dist/index.js';
import { ProcScanner, readTasks } from '../../dist/linux.js';
import { startCrowd } from './crowd.mjs';
import { median } from './support.mjs';

const WARM = 40;
const ROUNDS = 15;
const crowd = await startCrowd(process.argv[2], 2000);
const engine = await openEngine();
const always = new ProcScanner(engine, { listing: 'always' });
const forked = new ProcScanner(engine);
const measured = {
  always: measure(() => always.decide()),
  forked: measure(() => forked.decide()),
  readTasks: measure(() => readTasks(engine)),
};
console.log(JSON.stringify({ ...measured, tasks: always.decide().tasks }));
await crowd.end();

/** Median over rounds of heap bytes a task. */
function measure(round) {
  for (let index = 0; index < WARM; ++index) round();
  const values = [];
  for (let index = 0; index < ROUNDS; ++index) {
    globalThis.gc();
    const before = getHeapStatistics().used_heap_size;
    const { tasks, listed } = round();
    const bytes = getHeapStatistics().used_heap_size - before;
    if (bytes < 0) throw new Error('a collection ran during a measurement');
    values.push({ perTask: bytes / tasks, listed });
  }
  const skipped = values.filter((value) => value.listed === false);
  const of = (list) => (list.length ? median(list.map((value) => value.perTask)) : null);
  return { all: of(values), skipped: of(skipped), most: Math.max(...values.map((value) => value.perTask)) };
}
