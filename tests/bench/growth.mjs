// node growth.mjs BUILD SCHEME: ns of CPU time a task for score and select, at five sizes, one after the other in turns.
import { openEngine } from '../../dist/index.js';
import { fill } from './score-data.mjs';
import { cpuUs, loadLayout, median } from './support.mjs';

const [build, scheme] = process.argv.slice(2);
const SIZES = [100, 1000, 10_000, 100_000, 1_000_000];
const ROUNDS = 15;
/** Tasks a sample: enough for the clock of CPU time. */
const SAMPLE = build === 'shared' ? 4_000_000 : 400_000;

const L = await loadLayout();
const number = scheme === 'badness' ? L.SCHEME_BADNESS : L.SCHEME_LINUX_2_6_10;
const runs = [];
for (const size of SIZES) {
  const engine = await openEngine({ maxTasks: size, build });
  fill(engine, L, size);
  engine.view.setFloat64(engine.window + L.P_MAX_DISCOUNT, 4, true);
  runs.push({ size, engine, times: [] });
}
for (let round = -3; round < ROUNDS; ++round) {
  for (const { size, engine, times } of runs) {
    const { abi, window: w } = engine;
    const repeats = Math.max(1, Math.round(SAMPLE / size));
    const began = cpuUs();
    for (let index = 0; index < repeats; ++index) {
      abi.score(w, number);
      abi.select(w, number);
    }
    if (round >= 0) times.push(((cpuUs() - began) * 1000) / repeats / size);
  }
}
console.log(JSON.stringify(runs.map(({ size, times }) => ({ size, ns: median(times), times }))));
