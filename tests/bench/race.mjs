// node race.mjs ROUNDS FOLDER [NAMES]: daemons against the kernel's own killer. A memory cgroup (v1) of 1 GiB is all the machine that they see
// (feeder.c writes its figures over /proc/meminfo), and a hog fills it at three rates. The daemons take turns. Runs as pid 1 of a pid and a
// mount namespace of its own; the hog and one bystander are all that there is to be killed. Prints one JSON object.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { startDaemons } from './daemons.mjs';
import { meminfoOf, mountOver } from './fake-meminfo.mjs';
import { Contestant } from './support.mjs';

const [rounds, folder] = [Number(process.argv[2]), process.argv[3]];
const names = process.argv[4]?.split(',') ?? ['guard', 'earlyoom', 'nohang'];
const MIB = 1 << 20;
const LIMIT_MIB = 1024;
const RATES = [350, 1126, 2560];
const BYSTANDER_MIB = 60;
/** Fresh pages of the host are slow: they are touched before, outside of the group. */
const TOUCH_MIB = 1100;
const SETTLE_MS = 2000;
const LONGEST_MS = 20_000;
/** Of this run, so that two do not meet. */
const GROUP = `/sys/fs/cgroup/memory/badness-bench-${Date.now()}`;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const counter = (file, key) =>
  Number(new RegExp(`^${key} (\\d+)`, 'm').exec(readFileSync(`${GROUP}/${file}`, 'utf8'))[1]);

function makeGroup() {
  mkdirSync(GROUP);
  writeFileSync(`${GROUP}/memory.limit_in_bytes`, String(LIMIT_MIB * MIB));
}

async function removeGroup() {
  for (let left = 50; ; --left) {
    try {
      return rmdirSync(GROUP);
    } catch (error) {
      if (left === 0) throw error;
      await pause(100);
    }
  }
}

/** What the feeder does not write: the rest of the real text. */
function writeRest() {
  const written = /^(MemTotal|MemFree|MemAvailable|Cached|AnonPages): .*\n/gm;
  writeFileSync(`${folder}/rest`, meminfoOf(LIMIT_MIB, 100).replace(written, ''));
  writeFileSync(`${folder}/live`, '');
  mountOver(`${folder}/live`);
}

async function eater(name) {
  const one = new Contestant(`${folder}/eater`, [name]);
  if (!(await one.ready())) throw new Error('eater does not start');
  return one;
}

/** It takes memory until it is killed, or has it all. */
async function fill(hog, rate) {
  writeFileSync(`${GROUP}/cgroup.procs`, String(hog.child.pid));
  hog.child.stdin.write(`take ${2 * LIMIT_MIB} ${rate}\n`);
  hog.child.stdout.resume();
  await Promise.race([hog.ended, pause(LONGEST_MS)]);
}

async function touch() {
  const one = await eater('touch');
  one.child.stdin.write(`take ${TOUCH_MIB} 0\n`);
  while ((await one.line()) !== 'took');
  await one.end();
}

async function race(daemon, bystander, rate) {
  await touch();
  daemon.turn(true);
  await pause(SETTLE_MS);
  const killsBefore = counter('memory.oom_control', 'oom_kill');
  writeFileSync(`${GROUP}/memory.max_usage_in_bytes`, '0');
  const hog = await eater('hog');
  const began = performance.now();
  await fill(hog, rate);
  const ms = performance.now() - began;
  daemon.turn(false);
  const died = hog.child.exitCode !== null || hog.child.signalCode !== null;
  hog.child.kill('SIGKILL');
  await hog.ended;
  return {
    rate,
    kernel: counter('memory.oom_control', 'oom_kill') - killsBefore,
    died,
    innocent: bystander.child.exitCode !== null || bystander.child.signalCode !== null || !daemon.lives,
    peakMib: Math.round(Number(readFileSync(`${GROUP}/memory.max_usage_in_bytes`, 'utf8')) / MIB),
    ms: Math.round(ms),
  };
}

makeGroup();
try {
  writeRest();
  const feeder = new Contestant(`${folder}/feeder`, [GROUP, `${folder}/live`, `${folder}/rest`]);
  if (!(await feeder.ready())) throw new Error('feeder does not start');
  await pause(100);
  const bystander = await eater('bystander');
  bystander.child.stdin.write(`take ${BYSTANDER_MIB} 0\n`);
  const daemons = await startDaemons(names);
  for (const daemon of daemons) daemon.turn(false);
  const runs = Object.fromEntries(daemons.map(({ name }) => [name, []]));
  for (const rate of RATES)
    for (let round = 0; round < rounds; ++round)
      for (const daemon of daemons) runs[daemon.name].push(await race(daemon, bystander, rate));
  console.log(JSON.stringify({ rounds, rates: RATES, limitMib: LIMIT_MIB, runs }));
  for (const daemon of daemons) daemon.end();
  await bystander.end();
  await feeder.end();
} finally {
  await removeGroup();
}
