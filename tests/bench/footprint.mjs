// node footprint.mjs ROUNDS SECONDS: what guards hold and take while nothing is short: resident and proportional memory and CPU time, far from the
// threshold and just above it. Each is dry, or told that nothing is short. What is not installed is left out and named. Prints one JSON object.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { buildDevice, missingTool } from '../../scripts/device.mjs';
import { obtain, RUNTIMES } from '../runtimes/runtimes.mjs';
import { cpuMsOf, median } from './support.mjs';

const [rounds, seconds] = [Number(process.argv[2]), Number(process.argv[3])];
const WARM_MS = 5000;
/** Percent of memory; and so far below what is available for a guard that is near its limit. */
const FAR = 1;
const NEAR_BELOW = 2;
const OOMD = ['/usr/bin/oomd', '/usr/lib/systemd/systemd-oomd', '/lib/systemd/systemd-oomd'];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Just below what is available, in percent of all memory, and of that without what belongs to no task: guards differ in this. */
function nearLimit() {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const kib = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)[1]);
  const available = kib('MemAvailable');
  const below = (basis) => Math.max(2, Math.floor((100 * available) / basis - NEAR_BELOW));
  return { ofTotal: below(kib('MemTotal')), ofTasks: below(available + kib('AnonPages')) };
}

const FAR_LIMIT = { ofTotal: FAR, ofTasks: FAR };
/** For those whose threshold no option sets. */
const onlyFar = (args) => (limit) => (limit === FAR_LIMIT ? args : null);

const guardArgs = ({ ofTasks: percent }) => [
  'dist/cli.js',
  'guard',
  '-m',
  String(percent),
  '-s',
  '1',
  '-r',
  '0',
  '--control',
  'none',
];

/** What a program holds that has a guard in it, and the same program without. */
const HOST = 'setInterval(() => {}, 1000);';
const WITH_GUARD = `import { startGuard } from './dist/linux.js'; ${HOST} await startGuard({ domain: { descendantsOf: process.pid, budget: '4GiB' } });`;

async function contestants() {
  const list = [{ name: 'badness guard, Node', command: [process.execPath], args: guardArgs }];
  const missing = [];
  for (const name of ['Deno 2', 'Bun 1']) {
    const runtime = RUNTIMES.find((one) => one.name === name);
    const found = await obtain(runtime);
    if (found.missing) missing.push(found.missing);
    else list.push({ name: `badness guard, ${name}`, command: found.command, args: guardArgs });
  }
  const tool = missingTool();
  if (tool) missing.push(tool);
  else {
    const { path } = await buildDevice();
    list.push({
      name: 'device host',
      command: [path],
      args: ({ ofTasks }) => ['--guard', '-m', String(ofTasks), '-s', '0.01'],
    });
  }
  list.push(
    {
      name: 'earlyoom',
      command: ['earlyoom'],
      args: ({ ofTotal }) => ['--dryrun', '-m', String(ofTotal), '-s', '1', '-r', '0'],
    },
    { name: 'nohang', command: ['nohang'], args: onlyFar(['--monitor', '--config', '/etc/nohang/nohang.conf']) },
    { name: 'Node, nothing else', command: [process.execPath], args: onlyFar(['-e', HOST]) },
    {
      name: 'Node with a guard of the library',
      command: [process.execPath],
      args: onlyFar(['--input-type=module', '-e', WITH_GUARD]),
    },
  );
  for (const path of OOMD) if (!existsSync(path)) missing.push(`${path} is not installed`);
  return { list, missing };
}

/** Null for one that is not there, or ends. */
async function measure({ command: [program, ...first], args }, limit) {
  const words = args(limit);
  if (!words) return null;
  const child = spawn(program, [...first, ...words], { stdio: 'ignore' });
  const ended = new Promise((resolve) => {
    child.on('error', resolve);
    child.on('exit', resolve);
  });
  try {
    if ((await Promise.race([ended.then(() => 'ended'), pause(WARM_MS)])) === 'ended') return null;
    const [began, before] = [performance.now(), cpuMsOf(child.pid)];
    if ((await Promise.race([ended.then(() => 'ended'), pause(seconds * 1000)])) === 'ended') return null;
    const cpu = (1000 * (cpuMsOf(child.pid) - before)) / (performance.now() - began);
    const maps = readFileSync(`/proc/${child.pid}/smaps_rollup`, 'latin1');
    const mib = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(maps)[1]) / 1024;
    return { rssMib: mib('Rss'), pssMib: mib('Pss'), anonMib: mib('Anonymous'), cpu };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

const { list, missing } = await contestants();
const near = nearLimit();
const measured = Object.fromEntries(list.map(({ name }) => [name, { far: [], near: [] }]));
for (let round = 0; round < rounds; ++round) {
  for (const one of list) {
    for (const [where, limit] of [
      ['far', FAR_LIMIT],
      ['near', near],
    ]) {
      const figures = await measure(one, limit);
      if (figures) measured[one.name][where].push(figures);
    }
  }
}
const middle = (runs) =>
  runs.length
    ? Object.fromEntries(Object.keys(runs[0]).map((key) => [key, median(runs.map((run) => run[key]))]))
    : null;
const medians = Object.fromEntries(
  Object.entries(measured).map(([name, { far, near: close }]) => [name, { far: middle(far), near: middle(close) }]),
);
console.log(JSON.stringify({ rounds, seconds, near, missing, medians, measured }));
