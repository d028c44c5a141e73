// node reaction.mjs CROWD FLIPS FOLDER [NAMES]: how long a victim lives once memory is short, and what watching costs while it is not. Runs as pid 1
// of a pid and a mount namespace of its own, where a file takes the place of /proc/meminfo and nobody is there to be killed but a crowd and a
// victim. The daemons (guard,earlyoom) take turns; who has no turn is stopped. Prints one JSON object.
import { readdirSync } from 'node:fs';
import { startCrowd } from './crowd.mjs';
import { startDaemons } from './daemons.mjs';
import { FakeMeminfo } from './fake-meminfo.mjs';

const [wanted, flips, folder] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const names = process.argv[5]?.split(',') ?? ['guard', 'earlyoom'];
const TOTAL_MIB = 8192;
/** Clearly the largest: a guard has some 75. */
const VICTIM_MIB = 100;
/** Once after it began, within half a minute, V8 tidies up its heap: some 40 ms, which is not what watching costs. */
const WARM_MS = 40_000;
/** From its last turn on memory was not short, and its last sleep was interrupted: a few of its own come before the next flip. */
const SETTLE_MS = 2000;
const PHASE_US = 500_000;
/** What a kill leaves to be done. */
const AFTER_MS = 300;
const IDLE_MS = 20_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const fake = new FakeMeminfo(folder, TOTAL_MIB, { high: 25, low: 4.9, calm: 60 });

/** ms of CPU a second that each takes while so much memory is available. They do not meet: both only look. */
async function idle(daemons, name) {
  fake.show(name);
  await pause(SETTLE_MS);
  const began = performance.now();
  const before = daemons.map((daemon) => daemon.cpuMs());
  await pause(IDLE_MS);
  const seconds = (performance.now() - began) / 1000;
  return Object.fromEntries(daemons.map((daemon, at) => [daemon.name, (daemon.cpuMs() - before[at]) / seconds]));
}

async function flipAll(daemons) {
  const flipper = await fake.startFlipper('high', 'low', VICTIM_MIB);
  const taken = () => Object.fromEntries(daemons.map(({ name }) => [name, []]));
  const [ms, cpuMs] = [taken(), taken()];
  for (const daemon of daemons) daemon.turn(false);
  for (let flip = 0; flip < flips; ++flip) {
    for (const daemon of [...daemons.slice(flip % daemons.length), ...daemons.slice(0, flip % daemons.length)]) {
      daemon.turn(true);
      await pause(SETTLE_MS);
      const before = daemon.cpuMs();
      ms[daemon.name].push((await flipper.step(String(Math.floor(Math.random() * PHASE_US)))).ms);
      await pause(AFTER_MS);
      cpuMs[daemon.name].push(daemon.cpuMs() - before);
      daemon.turn(false);
    }
  }
  await flipper.end();
  return { ms, cpuMs };
}

const processes = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;

const crowd = await startCrowd(folder, wanted);
const daemons = await startDaemons(names);
fake.show('high');
await pause(WARM_MS);
const present = processes();
const idleMs = { high: await idle(daemons, 'high'), calm: await idle(daemons, 'calm') };
fake.show('high');
const rssMib = Object.fromEntries(daemons.map((daemon) => [daemon.name, daemon.rssMib()]));
const flipped = await flipAll(daemons);
const lost = present - processes();
console.log(JSON.stringify({ crowd: wanted, present, lost, ...flipped, idleMs, rssMib }));
for (const daemon of daemons) daemon.end();
await crowd.end();
