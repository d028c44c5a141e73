// node reaction.mjs CROWD FLIPS FOLDER: how long a victim lives once memory is short, and what watching costs while it is not. Runs as pid 1
// of a pid and a mount namespace of its own, where a file takes the place of /proc/meminfo and nobody is there to be killed but a crowd and a
// victim. The guard and earlyoom take turns; who has no turn is stopped. Prints one JSON object.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { startCrowd } from './crowd.mjs';
import { Contestant, cpuMsOf } from './support.mjs';

const [wanted, flips, folder] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const TOTAL_MIB = 8192;
const PERCENT = { high: 25, low: 4.9, calm: 60 };
/** Clearly the largest: a guard has some 75. */
const VICTIM_MIB = 100;
const START_MS = 3000;
/** Once after it began, within half a minute, V8 tidies up its heap: some 40 ms, which is not what watching costs. */
const WARM_MS = 40_000;
/** From its last turn on memory was not short, and its last sleep was interrupted: a few of its own come before the next flip. */
const SETTLE_MS = 2000;
const PHASE_US = 500_000;
/** What a kill leaves to be done. */
const AFTER_MS = 300;
const IDLE_MS = 20_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const file = (name) => `${folder}/meminfo.${name}`;

/** The real text, with other figures, and of one length for all. */
function meminfo(percent) {
  const availableMib = Math.round((TOTAL_MIB * percent) / 100);
  const figures = {
    ...{ MemTotal: TOTAL_MIB, MemAvailable: availableMib, MemFree: availableMib, AnonPages: TOTAL_MIB - availableMib },
    ...{ SwapTotal: 0, SwapFree: 0 },
  };
  return readFileSync('/proc/meminfo', 'utf8').replace(/^(\w+): +\d+/gm, (line, key) =>
    key in figures ? `${key}:${String(figures[key] * 1024).padStart(24 - key.length)}` : line,
  );
}

function mountFake() {
  const texts = Object.entries(PERCENT).map(([name, percent]) => [name, meminfo(percent)]);
  for (const [name, text] of texts) writeFileSync(file(name), text);
  writeFileSync(file('now'), texts[0][1]);
  const { status, stderr } = spawnSync('mount', ['--bind', file('now'), '/proc/meminfo'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot mount over /proc/meminfo: ${stderr}`);
}

/** In place and of one length, so that a kept descriptor sees it. */
const show = (name) => writeFileSync(file('now'), readFileSync(file(name)), { flag: 'r+' });

class Daemon {
  constructor(name, command, args) {
    this.name = name;
    this.child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, BADNESS_CONTROL: 'none' } });
    this.failed = once(this.child, 'error').then(([error]) => error);
  }

  /** False when it is not there, or has ended. */
  async starts() {
    const error = await Promise.race([this.failed, pause(START_MS)]);
    return error === undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Neither ends any of its threads while it is idle. */
  cpuMs() {
    return cpuMsOf(this.child.pid);
  }

  rssMib() {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))[1]) / 1024;
  }

  turn(on) {
    this.child.kill(on ? 'SIGCONT' : 'SIGSTOP');
  }
}

async function startDaemons() {
  const guard = new Daemon('guard', process.execPath, ['dist/cli.js', 'guard', '--enforce', '-r', '0']);
  if (!(await guard.starts())) throw new Error('the guard does not start');
  const earlyoom = new Daemon('earlyoom', 'earlyoom', ['-r', '0']);
  return (await earlyoom.starts()) ? [guard, earlyoom] : [guard];
}

/** ms of CPU a second that each takes while so much memory is available. They do not meet: both only look. */
async function idle(daemons, name) {
  show(name);
  await pause(SETTLE_MS);
  const began = performance.now();
  const before = daemons.map((daemon) => daemon.cpuMs());
  await pause(IDLE_MS);
  const seconds = (performance.now() - began) / 1000;
  return Object.fromEntries(daemons.map((daemon, at) => [daemon.name, (daemon.cpuMs() - before[at]) / seconds]));
}

async function flipAll(daemons) {
  const flipper = new Contestant(`${folder}/reaction`, [file('now'), file('high'), file('low'), String(VICTIM_MIB)]);
  if (!(await flipper.ready())) throw new Error('reaction does not start');
  const taken = () => Object.fromEntries(daemons.map(({ name }) => [name, []]));
  const [ms, cpuMs] = [taken(), taken()];
  for (const daemon of daemons) daemon.turn(false);
  for (let flip = 0; flip < flips; ++flip) {
    for (const daemon of flip % 2 ? daemons.toReversed() : daemons) {
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

mountFake();
const crowd = await startCrowd(folder, wanted);
const daemons = await startDaemons();
show('high');
await pause(WARM_MS);
const present = processes();
const idleMs = { high: await idle(daemons, 'high'), calm: await idle(daemons, 'calm') };
show('high');
const rssMib = Object.fromEntries(daemons.map((daemon) => [daemon.name, daemon.rssMib()]));
const flipped = await flipAll(daemons);
const lost = present - processes();
console.log(JSON.stringify({ crowd: wanted, present, lost, ...flipped, idleMs, rssMib }));
for (const daemon of daemons) daemon.child.kill('SIGKILL');
await crowd.end();
