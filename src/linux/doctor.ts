// Stage: none (facts). In: /proc and the native calls. Out: what this machine lets a guard do. Reads only; signals nobody.
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { errorCode } from './identity.js';
import { probePidfd } from './live-system.js';
import type { Native, NativeLoad } from './native.js';
import { effectiveCapabilities } from './task-status.js';
import { pidNumbers } from './thread-group.js';

/** The capabilities (capabilities(7)) that change what a kill can do, and their bits. */
const CAPABILITIES = {
  DAC_OVERRIDE: 1,
  KILL: 5,
  IPC_LOCK: 14,
  SYS_PTRACE: 19,
  SYS_NICE: 23,
  SYS_RESOURCE: 24,
} as const;

export type CapabilityName = keyof typeof CAPABILITIES;

/** Names (comm) of daemons that also kill on memory shortage. */
const DAEMONS = new Set(['earlyoom', 'nohang', 'systemd-oomd', 'oomd', 'lmkd', 'bustd']);

/** One limit of getrlimit(2): a number, or `unlimited`; null when it cannot be read. */
export type Limit = number | 'unlimited' | null;

/** What this machine allows a guard, as `badness doctor` prints it. Figures in bytes. */
export interface DoctorFacts {
  readonly kernel: string;
  /** Which way signals go, and which calls back it. */
  readonly native: {
    readonly path: 'pidfd' | 'kill';
    readonly library: string | null;
    /** Why there are no native calls; null when there are. */
    readonly reason: string | null;
    readonly pidfd: string;
    readonly processMrelease: string;
    readonly kcmp: string;
  };
  /** Effective capabilities; null when /proc/self/status cannot be read. */
  readonly capabilities: Readonly<Record<CapabilityName, boolean>> | null;
  readonly limits: {
    readonly nofileSoft: Limit;
    readonly nofileHard: Limit;
    readonly memlockSoftBytes: Limit;
    readonly memlockHardBytes: Limit;
  };
  readonly cgroupMemory: 'v1' | 'v2' | 'none';
  readonly psi: 'present' | 'disabled' | 'absent';
  readonly swapTotalKib: number | null;
  /** proc(5) mount option: `off`, `noaccess`, `invisible`, `ptraceable`. */
  readonly hidepid: string;
  readonly daemons: readonly { readonly tgid: number; readonly comm: string }[];
}

/** Where the doctor reads; the machine in earnest, tables in tests. */
export interface DoctorSource {
  /** The text of a file. Throws with an errno name. */
  read(path: string): string;
  pids(): number[];
  kernel(): string;
}

export const machineSource: DoctorSource = {
  read: (path) => readFileSync(path, 'latin1'),
  pids: pidNumbers,
  kernel: release,
};

/** Looks once. Never throws for what it cannot read: that is a fact too. */
export function readDoctorFacts(load: NativeLoad, source: DoctorSource = machineSource): DoctorFacts {
  const limits = text(source, '/proc/self/limits') ?? '';
  const [nofileSoft, nofileHard] = limit(limits, 'Max open files');
  const [memlockSoftBytes, memlockHardBytes] = limit(limits, 'Max locked memory');
  const swap = /^SwapTotal:\s*(\d+) kB$/m.exec(text(source, '/proc/meminfo') ?? '')?.[1];
  return {
    kernel: source.kernel(),
    native: nativeFacts(load),
    capabilities: capabilities(text(source, '/proc/self/status') ?? ''),
    limits: { nofileSoft, nofileHard, memlockSoftBytes, memlockHardBytes },
    cgroupMemory: cgroupMemory(source),
    psi: psi(source),
    swapTotalKib: swap === undefined ? null : Number(swap),
    hidepid: hidepid(text(source, '/proc/self/mounts') ?? ''),
    daemons: daemons(source),
  };
}

function text(source: DoctorSource, path: string): string | null {
  try {
    return source.read(path);
  } catch {
    return null;
  }
}

function nativeFacts({ native, reason }: NativeLoad): DoctorFacts['native'] {
  if (native === null) {
    const none = 'no native calls';
    return { path: 'kill', library: null, reason, pidfd: none, processMrelease: none, kcmp: none };
  }
  const pidfd = probePidfd(native);
  return {
    path: pidfd === 'ok' ? 'pidfd' : 'kill',
    library: native.library,
    reason: null,
    pidfd,
    processMrelease: mrelease(native),
    kcmp: kcmp(native),
  };
}

function kcmp(native: Native): string {
  try {
    native.sharesVm(process.pid, process.pid);
    return 'ok';
  } catch (error) {
    return errorCode(error);
  }
}

/** Asked of ourselves: EINVAL, because we are not dying, says that the call is there (process_mrelease(2)). */
function mrelease(native: Native): string {
  let fd = -1;
  try {
    fd = native.pidfdOpen(process.pid);
    const code = native.probeMrelease(fd);
    return code === 'EINVAL' ? 'ok' : code;
  } catch (error) {
    return errorCode(error);
  } finally {
    if (fd >= 0) native.close(fd);
  }
}

function capabilities(status: string): DoctorFacts['capabilities'] {
  const holds = effectiveCapabilities(status);
  if (holds === undefined) return null;
  const entries = Object.entries(CAPABILITIES).map(([name, bit]) => [name, holds(bit)]);
  return Object.fromEntries(entries) as Record<CapabilityName, boolean>;
}

/** `Max open files            1024                 1048576              files` */
function limit(limits: string, name: string): [Limit, Limit] {
  const line = limits.split('\n').find((one) => one.startsWith(name));
  const words = line?.slice(name.length).trim().split(/\s+/) ?? [];
  const value = (word: string | undefined): Limit =>
    word === 'unlimited' ? 'unlimited' : word !== undefined && /^\d+$/.test(word) ? Number(word) : null;
  return [value(words[0]), value(words[1])];
}

/** v1 when a hierarchy of its own carries the controller, v2 when the unified one offers it. */
function cgroupMemory(source: DoctorSource): DoctorFacts['cgroupMemory'] {
  const own = text(source, '/proc/self/cgroup') ?? '';
  if (own.split('\n').some((line) => line.split(':')[1]?.split(',').includes('memory'))) return 'v1';
  const mounts = (text(source, '/proc/self/mounts') ?? '').split('\n').map((line) => line.split(' '));
  const unified = mounts.filter((fields) => fields[2] === 'cgroup2').map((fields) => fields[1]!);
  const offers = (mount: string) =>
    (text(source, `${mount}/cgroup.controllers`) ?? '').trim().split(' ').includes('memory');
  return unified.some(offers) ? 'v2' : 'none';
}

function psi(source: DoctorSource): DoctorFacts['psi'] {
  try {
    source.read('/proc/pressure/memory');
    return 'present';
  } catch (error) {
    // Built in, switched off on the command line: the file is there and answers EOPNOTSUPP.
    return errorCode(error) === 'ENOENT' ? 'absent' : 'disabled';
  }
}

/** `proc /proc proc rw,nosuid,nodev,noexec,relatime,hidepid=invisible 0 0` */
function hidepid(mounts: string): string {
  const names: Record<string, string> = { '0': 'off', '1': 'noaccess', '2': 'invisible', '4': 'ptraceable' };
  const proc = mounts.split('\n').map((line) => line.split(' '));
  const options = proc.filter((fields) => fields[1] === '/proc' && fields[2] === 'proc').at(-1)?.[3] ?? '';
  const value = /(?:^|,)hidepid=([^,]+)/.exec(options)?.[1] ?? 'off';
  return names[value] ?? value;
}

function daemons(source: DoctorSource): { tgid: number; comm: string }[] {
  const found: { tgid: number; comm: string }[] = [];
  for (const tgid of source.pids()) {
    if (tgid === process.pid) continue;
    const comm = text(source, `/proc/${tgid}/comm`)?.trimEnd();
    if (comm !== undefined && DAEMONS.has(comm)) found.push({ tgid, comm });
  }
  return found;
}
