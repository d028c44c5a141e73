// node score-node.mjs COUNT CONTESTANT [FILE]: a contestant of the scoring bench that runs in Node. CONTESTANT is
// BUILD:SCHEME, BUILD:SCHEME:anew or `javascript`. With FILE it first writes the tasks there for score.c. Answers as score.c does.
import { openEngine } from '../../dist/index.js';
import { classicFlags, columns, fill, writeFor } from './score-data.mjs';
import { cpuUs, loadLayout, serve } from './support.mjs';

const [count, name, file] = [Number(process.argv[2]), process.argv[3], process.argv[4]];
const L = await loadLayout();
const [build, scheme, anew] = name === 'javascript' ? ['shared'] : name.split(':');
const engine = await openEngine({ maxTasks: count, build });
fill(engine, L, count);
engine.view.setFloat64(engine.window + L.P_MAX_DISCOUNT, 4, true);
if (file) writeFor(file, engine, L);
const points = scheme ? columns(engine, L).points : new Float64Array(count);
const run = scheme
  ? engineRound(scheme === 'badness' ? L.SCHEME_BADNESS : L.SCHEME_LINUX_2_6_10, anew === 'anew')
  : javascriptRound();
// Compilers have done with it before the first round counts.
for (let round = 0; round < 5; ++round) run();
await serve(() => {
  const began = cpuUs();
  const victim = run();
  return { us: cpuUs() - began, victim, ...digest(points) };
});

/** Score and select of the shipped engine, through its ABI; `anew` as in a round whose rows have changed. */
function engineRound(number, anew) {
  const { abi, view, window: w } = engine;
  return () => {
    if (anew) view.setUint32(engine.snapshot + L.S_PREPARED, 0, true);
    if (abi.score(w, number) < 0) throw new Error('score refused');
    return abi.select(w, number);
  };
}

/** The same formula over the same columns in plain JavaScript, in memory that is not shared. */
function javascriptRound() {
  if (engine.abi.score(engine.window, L.SCHEME_LINUX_2_6_10) < 0) throw new Error('score refused');
  const own = Object.fromEntries(Object.entries(columns(engine, L)).map(([key, column]) => [key, column.slice()]));
  const { totalVm, cpuDiv, startS, factor } = own;
  const { uptimeS } = classicFlags(L);
  const score = (out) => {
    for (let slot = 0; slot < count; ++slot) {
      const units = Math.max(uptimeS - startS[slot], 0) >> 10;
      const run = Math.max(Math.floor(Math.sqrt(Math.floor(Math.sqrt(units)))), 1);
      out[slot] = Math.floor(Math.floor(totalVm[slot] / (cpuDiv[slot] * run)) * factor[slot]);
    }
  };
  const select = (from) => {
    let chosen = -1;
    let most = 0;
    for (let slot = 0; slot < count; ++slot) {
      if (from[slot] > most) {
        most = from[slot];
        chosen = slot;
      }
    }
    return chosen;
  };
  return () => {
    score(points);
    return select(points);
  };
}

/** What every contestant must agree on: the sum of the points, and a hash that knows their order. */
function digest(points) {
  let sum = 0;
  let hash = 0;
  for (const value of points) {
    const known = !Number.isNaN(value);
    if (known) sum += value;
    hash = (Math.imul(hash, 31) + (known ? value % 4294967296 : 4294967295)) >>> 0;
  }
  return { sum, hash };
}
