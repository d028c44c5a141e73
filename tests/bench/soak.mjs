// node soak.mjs MINUTES FOLDER [FLAGS]: the guard at its fastest polling, among 2,000 processes of which the oldest is replaced 50 times a second.
// What it holds is read every so often, and whether it chooses right before and after. FLAGS are Node's, for the guard. Runs as pid 1 of a pid
// and a mount namespace of its own, where a file takes the place of /proc/meminfo. Prints one JSON object.
import { startDaemons } from './daemons.mjs';
import { FakeMeminfo } from './fake-meminfo.mjs';
import { Contestant } from './support.mjs';

const [minutes, folder] = [Number(process.argv[2]), process.argv[3]];
const flags = process.argv[4]?.split(' ') ?? [];
const CROWD = 2000;
const EVERY_US = 20_000;
/** A small machine that is just above the threshold: it could be short in 20 ms, so it is looked at every 20 ms. */
const TOTAL_MIB = 1024;
const PERCENT = { near: 10.6, low: 4.9 };
const VICTIM_MIB = 100;
const FLIPS = 5;
const SAMPLES = 60;
const SETTLE_MS = 2000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const fake = new FakeMeminfo(folder, TOTAL_MIB, PERCENT);

/** Milliseconds until each victim was dead; null for one that lived on. */
async function flips() {
  const flipper = await fake.startFlipper('near', 'low', VICTIM_MIB);
  const ms = [];
  for (let flip = 0; flip < FLIPS; ++flip) {
    await pause(SETTLE_MS);
    ms.push((await flipper.step('0')).ms);
  }
  await flipper.end();
  return ms;
}

const churn = new Contestant(`${folder}/churn`, [String(CROWD), String(EVERY_US)]);
if (!(await churn.ready())) throw new Error('churn does not start');
const [guard] = await startDaemons(['guard'], flags);
const before = await flips();
const samples = [];
const began = performance.now();
for (let sample = 0; sample <= SAMPLES; ++sample) {
  await pause(Math.max(0, began + (sample * minutes * 60_000) / SAMPLES - performance.now()));
  const atS = (performance.now() - began) / 1000;
  samples.push({ atS, rssMib: guard.rssMib(), cpuMs: guard.cpuMs(), descriptors: guard.descriptors() });
}
const after = await flips();
console.log(
  JSON.stringify({
    minutes,
    crowd: CROWD,
    flags,
    before,
    after,
    samples,
    lives: guard.lives && churn.child.exitCode === null,
  }),
);
guard.end();
await churn.end();
