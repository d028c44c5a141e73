/** The whole proof, with times: prints JSON, and a table on standard error. Started by scripts/bench-fleet.mjs. */
import { Fleet, type FleetLooked } from '../../../src/fleet/index.js';
import { recordingText } from '../../src/support/recordings.js';
import { type Scope, startServer } from '../support/nats-server.js';
import { startWorker } from '../support/worker-process.js';
import { guardCost } from './guard-cost.js';
import { runRig } from './rig.js';

const SIZES = [10, 100, 1000];
const RECORDINGS = 120;
const program = new URL('./hosts.worker.js', import.meta.url);

/** Clears away what a part has started, whatever becomes of it. */
async function within<T>(run: (t: Scope) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => void ends.push(end) } as unknown as Scope;
  try {
    return await run(scope);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Machines short of memory, with so many tasks that a worker has something to do. */
function recording(seed: number): Uint8Array {
  const tasks = Object.fromEntries(
    Array.from({ length: 1500 }, (_, at) => [`task${at}`, 1000 + ((at * 37 + seed) % 400)]),
  );
  const moments = Array.from({ length: 6 }, (_, index) => ({
    ...{ monotonicMs: index * 1000, percent: 6, tasks: { hog: 70_000, big: 50_000, ...tasks } },
  }));
  return new TextEncoder().encode(recordingText(moments));
}

async function whatIf(fleet: Fleet, hear: (done: number) => void = () => {}) {
  const found: FleetLooked[] = [];
  const startMs = performance.now();
  const ask = { policy: 'version = 1\nnever = ["hog"]\n', progress: hear };
  for await (const one of fleet.whatIf(ask)) found.push(one);
  return { ms: Math.round(performance.now() - startMs), text: JSON.stringify(found) };
}

async function whatIfProof(t: Scope) {
  const server = await startServer(t);
  const fleet = await Fleet.connect({ servers: [server.url] });
  t.after(() => fleet.close());
  await fleet.setUp({ redeliverMs: 3000 });
  const recordings = await fleet.recordings();
  for (let index = 0; index < RECORDINGS; ++index) await recordings.put(`host-${index}.proc`, recording(index));
  const first = startWorker(t, server.url);
  // Compiled code and caches of the first run are none of the question.
  await whatIf(fleet);
  const one = await whatIf(fleet);
  startWorker(t, server.url);
  await whatIf(fleet);
  const two = await whatIf(fleet);
  let killed: Promise<void> | null = null;
  const disturbed = await whatIf(fleet, (done) => {
    if (done > RECORDINGS / 3) killed ??= first.kill();
  });
  await killed;
  return {
    ...{ recordings: RECORDINGS, one_worker_ms: one.ms, two_workers_ms: two.ms },
    ...{ growth: Math.round((one.ms / two.ms) * 100) / 100, same: one.text === two.text },
    ...{ worker_killed_ms: disturbed.ms, same_with_worker_killed: disturbed.text === one.text },
  };
}

const wanted = process.argv.slice(2);
const isWanted = (part: string) => wanted.length === 0 || wanted.includes(part);
const fleets = [];
if (isWanted('fleets')) {
  for (const hosts of SIZES) {
    const pace = { rounds: 10, everyMs: 2000, downMs: 3000, cutMs: 8000, pingMs: 1000 };
    const options = { ...pace, hosts, processes: hosts >= 100 ? 4 : 2, spoolBytes: 1 << 20, program };
    fleets.push(await within((t) => runRig(t, options)));
  }
}
const whatIfs = isWanted('what-if') ? await within(whatIfProof) : null;
const cost = isWanted('guard') ? await within(guardCost) : null;
console.log(JSON.stringify({ fleets, what_if: whatIfs, guard: cost }));
const columns = ['hosts', 'partition', 'policy_ms', 'told', 'dropped', 'lost', 'twice', 'stored'] as const;
console.error(columns.join('\t'));
for (const row of fleets) console.error(columns.map((name) => row[name]).join('\t'));
if (whatIfs)
  console.error(
    `what-if: 1 worker ${whatIfs.one_worker_ms} ms, 2 workers ${whatIfs.two_workers_ms} ms, × ${whatIfs.growth}`,
  );
if (cost) console.error(`guard: the fleet adds ${cost.added_cpu_ms_per_s} ms/s and ${cost.added_mib} MiB`);
process.exit(0);
