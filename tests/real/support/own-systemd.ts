// A systemd of the test's own, pid 1 of namespaces that end with it, in a cgroup that the test makes. It runs badness.service.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pause } from './count.js';
import { noGroups, removeGroup } from './hog.js';

const SETUP = resolve('tests/real/support/own-systemd.sh');
const WITHIN_MS = 300_000;
const CANNOT = 77;

/** A capability that this machine does not have cannot be given to a service. */
const BOUNDING = BigInt(`0x${/^CapBnd:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]}`);
const NAMED = {
  CAP_DAC_OVERRIDE: 1,
  CAP_KILL: 5,
  CAP_IPC_LOCK: 14,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_NICE: 23,
  CAP_SYS_RESOURCE: 24,
};
/** Those that it has. */
export const had = Object.entries(NAMED).filter(([, bit]) => (BOUNDING >> BigInt(bit)) & 1n);
const LIST = had.map(([name]) => name).join(' ');

/** The unit with those alone, and a watchdog that is not long waited for. */
export const DROP_IN = `[Service]
CapabilityBoundingSet=
CapabilityBoundingSet=${LIST}
AmbientCapabilities=
AmbientCapabilities=${LIST}
WatchdogSec=10
StandardOutput=null
`;

/** What is written for the scene: the policy, a drop-in of the unit, and the script that looks at the service. */
export interface ServiceScene {
  readonly policy: string;
  readonly dropIn: string;
  /** Bash, as root beside the service; `$SCENE` is the folder for its answers. The last that it does is `touch $SCENE/done`. */
  readonly look: string;
}

/** The answers, by the names of their files; or why there is none. */
export type Answers =
  | { readonly skip: string }
  | { readonly answers: ReadonlyMap<string, string>; readonly log: string };

function cgroup2Mount(): string | null {
  const line = readFileSync('/proc/self/mounts', 'latin1')
    .split('\n')
    .find((one) => one.split(' ')[2] === 'cgroup2');
  return line?.split(' ')[1] ?? null;
}

/** Why there can be no systemd of the test's own; null when it may be tried. */
export function noSystemd(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].some(existsSync)) return 'systemd is not installed';
  if (!existsSync('node_modules/koffi')) return 'koffi is not there';
  const mount = cgroup2Mount();
  return mount === null ? 'no cgroup2 is mounted' : (noGroups(mount)?.skip ?? null);
}

export async function runService({ policy, dropIn, look }: ServiceScene): Promise<Answers> {
  const scene = mkdtempSync(join(tmpdir(), 'badness-systemd-'));
  const group = join(cgroup2Mount()!, `badness-systemd-${process.pid}`);
  mkdirSync(group);
  writeFileSync(join(scene, 'badness.toml'), policy);
  writeFileSync(join(scene, 'scene.conf'), dropIn);
  writeFileSync(join(scene, 'look.sh'), look);
  // Where systemd would not look for it.
  if (!existsSync('/usr/bin/node')) symlinkSync(process.execPath, join(scene, 'node'));
  const inGroup = `echo $$ > ${group}/cgroup.procs && exec "$@"`;
  const namespaces = ['unshare', '-m', '-p', '-f', '-C', '-u', '-i', '-n', '--kill-child'];
  const args = ['-c', inGroup, 'sh', ...namespaces, 'bash', SETUP, resolve('.'), scene];
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (log += data));
  const ended = once(child, 'exit');
  try {
    const end = Date.now() + WITHIN_MS;
    while (child.exitCode === null && !existsSync(join(scene, 'done')) && Date.now() < end) await pause(50);
    if (child.exitCode === CANNOT) return { skip: log.trim().split('\n').at(-1)! };
    const names = readdirSync(scene);
    return { answers: new Map(names.map((name) => [name, readFileSync(join(scene, name), 'utf8')])), log };
  } finally {
    // Its pid 1 goes with it, and everything below that.
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await ended;
    await removeGroup(group);
    rmSync(scene, { recursive: true, force: true });
  }
}
