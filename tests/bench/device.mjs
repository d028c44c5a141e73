// What a guard holds in memory: the C host of examples/device, earlyoom, and badness guard in Node, side by side in one run, each dry
// and idle. `node tests/bench/device.mjs`; fails above 96 KiB of program, 1 MiB resident, or what earlyoom holds.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { buildDevice, missingTool } from '../../scripts/device.mjs';
import { cpuMsOf, median } from './support.mjs';

const ROUNDS = 3;
const SETTLE_MS = 3000;
const MOST_KIB = 1024;
/** It holds a row for each process: what is asked of it is asked on a machine of an ordinary size. */
const PROCESSES_MOST = 500;

/** Nobody is to find memory short: only the reading counts. */
const CONTESTANTS = (device) => [
  { name: 'badness-device --guard', command: device, args: ['--guard', '-m', '0.01', '-s', '0.01'] },
  { name: 'earlyoom', command: 'earlyoom', args: ['--dryrun', '-m', '1', '-s', '1', '-r', '0'] },
  {
    name: 'badness guard (Node)',
    command: process.execPath,
    args: ['dist/cli.js', 'guard', '-m', '1', '-s', '1', '-r', '0', '--control', 'none'],
  },
];

/** KiB by key, of `key:  value kB` lines. */
function kibOf(path) {
  const lines = readFileSync(path, 'latin1').matchAll(/^(\w+):\s+(\d+) kB$/gm);
  return new Map(Array.from(lines, ([, key, value]) => [key, Number(value)]));
}

/** Resident, proportional and own pages, and CPU time, after a while. Undefined where it is not installed. */
async function measure({ command, args }) {
  const child = spawn(command, args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => {
    child.on('error', resolve);
    child.on('exit', resolve);
  });
  const isThere = await Promise.race([
    ended.then(() => false),
    new Promise((later) => setTimeout(later, SETTLE_MS, true)),
  ]);
  if (!isThere) return undefined;
  const status = kibOf(`/proc/${child.pid}/status`);
  const maps = kibOf(`/proc/${child.pid}/smaps_rollup`);
  const cpuMs = cpuMsOf(child.pid);
  child.kill('SIGKILL');
  await ended;
  return {
    rss: status.get('VmRSS'),
    pss: maps.get('Pss'),
    anon: status.get('RssAnon'),
    locked: status.get('VmLck'),
    cpuMs,
  };
}

async function compare(contestants) {
  const measured = new Map(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; ++round) {
    for (const contestant of contestants) {
      const figures = await measure(contestant);
      if (figures) measured.get(contestant.name).push(figures);
    }
  }
  return measured;
}

function print(measured) {
  console.log(`KiB, medians of ${ROUNDS}; CPU time of the first ${SETTLE_MS / 1000} s`);
  for (const [name, runs] of measured) {
    const of = (key) => Math.round(median(runs.map((run) => run[key])));
    const raw = runs.map(({ rss }) => rss).join(' ');
    if (runs.length === 0) console.log(`${name.padEnd(24)} not there`);
    else
      console.log(
        `${name.padEnd(24)} VmRSS ${of('rss')} (${raw})  Pss ${of('pss')}  RssAnon ${of('anon')}  CPU ${of('cpuMs')} ms`,
      );
  }
}

async function main() {
  const { path, bytes } = await buildDevice();
  const measured = await compare(CONTESTANTS(path));
  console.log(`${path}: ${bytes} bytes, static`);
  print(measured);
  const [device, earlyoom] = [...measured.values()].map((runs) => Math.max(...runs.map(({ rss }) => rss)));
  const holds = device <= MOST_KIB && (earlyoom === Number.NEGATIVE_INFINITY || device < earlyoom);
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
  const isJudged = processes <= PROCESSES_MOST;
  const verdict = holds ? 'within the limits' : 'ABOVE THE LIMITS';
  console.log(`${verdict}, among ${processes} processes${isJudged ? '' : `: judged up to ${PROCESSES_MOST}`}`);
  process.exitCode = holds || !isJudged ? 0 : 1;
}

const missing = missingTool();
if (missing) console.log(`skipped: ${missing}`);
else await main();
