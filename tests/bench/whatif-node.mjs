// One contestant of the bench of whatif, in one thread: reads every recording of a folder, lets both policies choose at every snapshot, and
// prints what that took. `engine`: whatIf. `javascript`: the same text layer (parseRecording, RecordedFiles), then everything in plain
// JavaScript: files of tasks into numbers, points, rules, selection.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEngine } from '../../dist/index.js';
import { definePolicy } from '../../dist/policy.js';
import { parseRecording, RecordedFiles, tasksMost, whatIf } from '../../dist/recording.js';
import { cpuUs } from './support.mjs';
import { NEVER, RULE, SCHEME } from './whatif-data.mjs';

const PAGE_KIB = 4;
const MAX_DISCOUNT = 4;

const isqrt = (x) => Math.floor(Math.sqrt(x));
const kib = (status, key) =>
  Math.floor(Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / PAGE_KIB);

function taskIn(files, pid) {
  const stat = files.text(`/proc/${pid}/stat`);
  const open = stat.indexOf('(');
  const close = stat.lastIndexOf(')');
  const fields = stat.slice(close + 2).split(' ');
  const status = files.text(`/proc/${pid}/status`);
  return {
    pid,
    comm: stat.slice(open + 1, close),
    cpu: Number(fields[11]) + Number(fields[12]),
    nice: Number(fields[16]),
    start: Number(fields[19]),
    charge: kib(status, 'VmRSS') + kib(status, 'VmSwap') + kib(status, 'VmPTE'),
    adj: Number(files.text(`/proc/${pid}/oom_score_adj`)),
  };
}

function tasksIn(files) {
  const pids = files.list('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => taskIn(files, Number(pid)));
}

function badness({ cpu, start, charge, nice }, uptimeS) {
  const run = Math.max(0, uptimeS - Math.floor(start / 100));
  const runDiv = Math.max(1, isqrt(isqrt(Math.floor(run / 1024))));
  const discount = Math.min(MAX_DISCOUNT, Math.max(1, isqrt(Math.floor(cpu / 1024))) * runDiv);
  const points = Math.floor(charge / discount);
  return nice > 0 ? points * 2 : points;
}

const resident = ({ comm, charge }) => (comm.startsWith(RULE.prefix) ? Math.floor(charge / 2) : charge);

function victim(tasks, pointsOf) {
  let [best, most] = [null, 0];
  for (const task of tasks) {
    if (task.pid === 1 || task.charge === 0 || task.adj === -1000 || NEVER.includes(task.comm)) continue;
    const points = pointsOf(task);
    if (points > most) [best, most] = [task, points];
  }
  return best;
}

/** Snapshots at which the two differ, and evaluations. */
function inJavaScript(recording) {
  const files = new RecordedFiles(recording);
  const changes = [];
  let evaluations = 0;
  recording.snapshots.forEach((_, index) => {
    files.moveTo(index);
    const available = Number(/^MemAvailable:\s+(\d+)/m.exec(files.text('/proc/meminfo'))[1]);
    const total = Number(/^MemTotal:\s+(\d+)/m.exec(files.text('/proc/meminfo'))[1]);
    if (available > total / 10) return;
    const tasks = tasksIn(files);
    const uptimeS = Math.floor(Number(files.text('/proc/uptime').split(' ')[0]));
    const old = victim(tasks, (task) => badness(task, uptimeS));
    const now = victim(tasks, resident);
    evaluations += 2 * tasks.length;
    if (old?.pid !== now?.pid) changes.push([index, old?.pid, now?.pid]);
  });
  return { changes, evaluations };
}

async function byEngine(recording, engine, policy, against) {
  const { changes, evaluations } = await whatIf(recording, { policy, against, engine });
  return { changes: changes.map((one) => [one.snapshot, one.old.victim?.tgid, one.new.victim?.tgid]), evaluations };
}

const [kind, folder] = process.argv.slice(2);
const policy = definePolicy({ scheme: SCHEME, never: NEVER, rules: [{ comm: `${RULE.prefix}*`, times: '1/2' }] });
const against = definePolicy({ never: NEVER });
const digest = createHash('sha256');
let engine = null;
let [readMs, evaluations] = [0, 0];
const [begin, cpuBegin] = [performance.now(), cpuUs()];
for (const name of readdirSync(folder).sort()) {
  const from = performance.now();
  const recording = parseRecording(readFileSync(join(folder, name)));
  readMs += performance.now() - from;
  if (kind === 'engine') engine ??= await openEngine({ maxTasks: 2 * tasksMost(recording) });
  const result = kind === 'engine' ? await byEngine(recording, engine, policy, against) : inJavaScript(recording);
  evaluations += result.evaluations;
  digest.update(JSON.stringify(result.changes));
}
const [ms, cpuMs] = [performance.now() - begin, (cpuUs() - cpuBegin) / 1000];
console.log(JSON.stringify({ ms, cpuMs, readMs, evaluations, digest: digest.digest('hex') }));
