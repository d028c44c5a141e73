// Recordings for the bench of whatif: machines short of memory, as badness record writes them, from a fixed seed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniform } from './uniform.mjs';

const MONOTONIC_MS = 30 * 86_400_000;
const MEMORY_KIB = 16 * 2 ** 20;

/** The new policy: this scheme with one rule. The old one is the default but for its never list, which is the same. */
export const SCHEME = 'resident';
export const RULE = { prefix: 'task3' };
export const NEVER = ['task7', 'task8', 'sshd'];

function taskOf(pid, random) {
  const vm = Math.floor(4096 * 2 ** (random() * 12));
  const rss = Math.floor(vm * random() ** 2);
  return {
    ...{ pid, comm: `task${pid % 97}`, vm, rss, swap: random() < 0.2 ? Math.floor(rss / 3) : 0 },
    ...{ uid: random() < 0.3 ? 0 : 1000, nice: random() < 0.05 ? 10 : 0, adj: random() < 0.02 ? -1000 : 0 },
    ...{ utime: Math.floor(10 ** (random() * 6)), start: Math.floor(random() * (MONOTONIC_MS / 10)) },
  };
}

function statLine({ pid, comm, utime, start, vm, rss, nice }) {
  const times = `${Math.floor(utime * 0.7)} ${utime - Math.floor(utime * 0.7)} 0 0 ${20 + nice} ${nice} 1 0 ${start}`;
  const rest = '18446744073709551615 1 1 0 0 0 0 0 4096 81920 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0';
  return `${pid} (${comm}) S 1 ${pid} ${pid} 0 -1 4194304 3500 0 12 0 ${times} ${vm * 1024} ${Math.floor(rss / 4)} ${rest}`;
}

function statusLines({ pid, comm, vm, rss, swap, uid }) {
  return [
    ...[`Name:\t${comm}`, 'State:\tS (sleeping)', `Tgid:\t${pid}`, 'PPid:\t1', `Uid:\t${uid}\t${uid}\t${uid}\t${uid}`],
    ...[`VmSize:\t${vm} kB`, `VmRSS:\t${rss} kB`, `RssAnon:\t${rss} kB`, 'RssFile:\t0 kB', 'RssShmem:\t0 kB'],
    ...[`VmPTE:\t${Math.ceil(vm / 512) * 4} kB`, `VmSwap:\t${swap} kB`, 'Threads:\t1'],
    ...[`CapEff:\t${uid === 0 ? '000001ffffffffff' : '0000000000000000'}`, 'Mems_allowed_list:\t0'],
  ];
}

const spelled = (line) => `  ${line.replaceAll('\t', '\\t')}`;
const file = (path, lines) => [path, ...lines.map(spelled)];

function taskFiles(task) {
  const root = `/proc/${task.pid}`;
  return [
    ...file(`${root}/stat`, [statLine(task)]),
    ...file(`${root}/status`, statusLines(task)),
    ...file(`${root}/oom_score_adj`, [String(task.adj)]),
    ...file(`${root}/cmdline`, [`/usr/bin/${task.comm}\\x00--serve\\x00`]),
    ...[`${root}/exe -> /usr/bin/${task.comm}`, ...file(`${root}/cgroup`, [`0::/system.slice/${task.comm}.service`])],
    `${root} owner ${task.uid}`,
  ];
}

function memoryFiles(percent) {
  const available = Math.floor((MEMORY_KIB * percent) / 100);
  const sizes = [`MemTotal: ${MEMORY_KIB} kB`, `MemFree: ${available} kB`, `MemAvailable: ${available} kB`];
  const others = ['Buffers: 0 kB', 'Cached: 0 kB', 'AnonPages: 12000000 kB', 'SwapTotal: 0 kB', 'SwapFree: 0 kB'];
  return file('/proc/meminfo', [...sizes, ...others]);
}

/** One recording: a whole snapshot, and further ones in which a tenth of the tasks has changed. */
function recordingText(seed, { tasks, snapshots }) {
  const random = uniform(seed);
  const all = Array.from({ length: tasks }, (_, index) => taskOf(2 + index, random));
  const lines = ['badness-recording 1', 'page_size 4096', 'domain system'];
  for (let index = 0; index < snapshots; ++index) {
    const ms = MONOTONIC_MS + index * 1000;
    lines.push(`snapshot monotonic_ms ${ms} boot_ms ${ms}`, ...memoryFiles(6 - (index % 3)));
    lines.push(...file('/proc/uptime', [`${(ms / 1000).toFixed(2)} 1000.00`]));
    for (const task of all) {
      if (index === 0) lines.push(...taskFiles(task));
      else if (random() < 0.1) {
        task.rss = Math.min(task.vm, Math.floor(task.rss * (0.8 + random() * 0.5)));
        const root = `/proc/${task.pid}`;
        lines.push(...file(`${root}/stat`, [statLine(task)]), ...file(`${root}/status`, statusLines(task)));
      }
    }
  }
  return `${lines.join('\n')}\nend\n`;
}

/** Writes so many recordings into a folder; answers the bytes of all. */
export function writeRecordings(folder, { recordings, ...shape }) {
  let bytes = 0;
  for (let index = 0; index < recordings; ++index) {
    const text = recordingText(2610 + index, shape);
    bytes += text.length;
    writeFileSync(join(folder, `machine-${String(index).padStart(4, '0')}.proc`), text);
  }
  return bytes;
}
