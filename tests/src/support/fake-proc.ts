/** A /proc made of files in a temporary folder: what the tests want a reader to meet, written as the kernel prints it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeTask {
  pid: number;
  /** As stat has it, between the parentheses; status gets it escaped. */
  comm?: string | Uint8Array;
  state?: string;
  ppid?: number;
  sid?: number;
  /** Process group; the task's own by default. */
  pgrp?: number;
  /** PF_* flags. */
  flags?: number;
  threads?: number;
  /** USER_HZ ticks. */
  utime?: number;
  stime?: number;
  start?: number;
  nice?: number;
  /** Pages. */
  vm?: number;
  rss?: number;
  statRss?: number;
  swap?: number;
  /** Pages of `rss` that are of files or shared memory; and those of them that are shared memory. */
  shared?: number;
  shmem?: number;
  /** Page tables, in KiB. */
  pte?: number;
  uid?: number;
  euid?: number;
  caps?: string;
  adj?: number;
  /** Supplementary groups, what makes a status long. */
  groups?: number;
  /** Where the stack begins, which tells a copy of the parent from another program; hidden by default. */
  stack?: number;
  /** As /proc/PID/environ has it; no such file by default. */
  environ?: string;
  /** No address space: kernel threads, zombies, leaders that have exited. */
  mm?: boolean;
  /** Where the link exe points to. */
  exe?: string;
  /** Each ends with NUL in the file. */
  cmdline?: string[];
  /** The text of the file cgroup. */
  cgroup?: string;
}

export interface FakeMachine {
  pageSize?: number;
  clockTicks?: number;
  uptimeS?: number;
  memTotalKib?: number;
  swapTotalKib?: number;
  swapFreeKib?: number;
  /** Bytes of a word of auxv, 4 or 8. */
  word?: 4 | 8;
}

const AT_NULL = 0;
const AT_PHDR = 3;
const AT_PAGESZ = 6;
const AT_CLKTCK = 17;

function auxv({ pageSize = 4096, clockTicks = 100, word = 8 }: FakeMachine): Buffer {
  const pairs = [
    [33, 0x7ff0_1000],
    [AT_PAGESZ, pageSize],
    [AT_CLKTCK, clockTicks],
    [AT_PHDR, 0x4000_0040],
    [AT_NULL, 0],
  ];
  const bytes = Buffer.alloc(pairs.length * 2 * word);
  for (const [index, value] of pairs.flat().entries()) {
    if (word === 8) bytes.writeBigUInt64LE(BigInt(value), index * 8);
    else bytes.writeUInt32LE(value, index * 4);
  }
  return bytes;
}

const commBytes = (comm: string | Uint8Array) => (typeof comm === 'string' ? Buffer.from(comm) : Buffer.from(comm));

/** The text of /proc/PID/stat. */
export function statText(task: FakeTask): Buffer {
  const { pid, state = 'S', ppid = 1, sid = pid, pgrp = pid, flags = 0x400000, threads = 1 } = task;
  const { utime = 0, stime = 0, start = 1000, nice = 0, stack = 0, mm = true } = task;
  const rss = mm ? (task.statRss ?? task.rss ?? 0) : 0;
  const vsize = mm ? (task.vm ?? 0) * 4096 : 0;
  const head = `${state} ${ppid} ${pgrp} ${sid} 0 -1 ${flags} 10 0 0 0 ${utime} ${stime} 0 0 ${20 + nice} ${nice}`;
  const rest = `${threads} 0 ${start} ${vsize} ${rss} 18446744073709551615 1 1 ${stack} 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0`;
  const comm = commBytes(task.comm ?? `task-${pid}`);
  return Buffer.concat([Buffer.from(`${pid} (`), comm, Buffer.from(`) ${head} ${rest}\n`)]);
}

/** The text of /proc/PID/status, for pages of `pageKib`. */
export function statusText(task: FakeTask, pageKib = 4): Buffer {
  const { pid, state = 'S', ppid = 1, threads = 1, uid = 1000, euid = uid, caps = '0', groups = 0 } = task;
  const { vm = 0, rss = 0, swap = 0, shared = 0, shmem = 0, pte = 0, mm = true } = task;
  const name = commBytes(task.comm ?? `task-${pid}`).toString('latin1');
  const escaped = Buffer.from(name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n'), 'latin1');
  const kib = (pages: number) => String(pages * pageKib).padStart(8);
  const list = Array.from({ length: groups }, (_, index) => 100000 + index).join(' ');
  const sizes = [
    `VmPeak:\t${kib(vm)} kB`,
    `VmSize:\t${kib(vm)} kB`,
    `VmHWM:\t${kib(rss)} kB`,
    `VmRSS:\t${kib(rss)} kB`,
  ];
  const parts = [
    `RssAnon:\t${kib(rss - shared)} kB`,
    `RssFile:\t${kib(shared - shmem)} kB`,
    `RssShmem:\t${kib(shmem)} kB`,
  ];
  const lines = [
    ...[`Umask:\t0022`, `State:\t${state} (fake)`, `Tgid:\t${pid}`, `Ngid:\t0`, `Pid:\t${pid}`, `PPid:\t${ppid}`],
    ...[`TracerPid:\t0`, `Uid:\t${uid}\t${euid}\t${euid}\t${euid}`, `Gid:\t0\t0\t0\t0`, `FDSize:\t64`],
    ...[`Groups:\t${list} `, `NStgid:\t${pid}`, `Kthread:\t0`],
    ...(mm ? [...sizes, ...parts, `VmPTE:\t${String(pte).padStart(8)} kB`, `VmSwap:\t${kib(swap)} kB`] : []),
    ...[`Threads:\t${threads}`, `SigQ:\t0/96365`, `CapPrm:\t${'0'.repeat(16)}`, `CapEff:\t${caps.padStart(16, '0')}`],
    ...[`Seccomp:\t0`, `voluntary_ctxt_switches:\t150`, ''],
  ];
  return Buffer.concat([Buffer.from('Name:\t'), escaped, Buffer.from(`\n${lines.join('\n')}`)]);
}

export const statmText = ({ vm = 0, rss = 0, shared = Math.floor(rss / 2), mm = true }: FakeTask): string =>
  mm ? `${vm} ${rss} ${shared} 1 0 ${vm} 0\n` : '0 0 0 0 0 0 0\n';

/** In memory where that is to be had: a round of a random test writes hundreds of files. */
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A folder that looks like /proc. Removed by `remove`, or by `using`. */
export class FakeProc {
  readonly root: string;
  private pageKib = 4;

  constructor(machine: FakeMachine = {}) {
    this.root = mkdtempSync(join(base, 'badness-proc-'));
    mkdirSync(join(this.root, 'self'));
    // What is in /proc beside tasks, so that a list of names is never pids alone.
    mkdirSync(join(this.root, 'sys'));
    this.file(
      'self/limits',
      'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files     \n',
    );
    this.machine(machine);
  }

  file(path: string, content: string | Uint8Array): void {
    writeFileSync(join(this.root, path), content);
  }

  machine(machine: FakeMachine): void {
    const { uptimeS = 100000, memTotalKib = 16777216, swapTotalKib = 0, swapFreeKib = swapTotalKib } = machine;
    this.pageKib = (machine.pageSize ?? 4096) / 1024;
    this.file('self/auxv', auxv(machine));
    this.file('uptime', `${uptimeS.toFixed(2)} 3390.22\n`);
    const line = (key: string, kib: number) => `${`${key}:`.padEnd(16)}${String(kib).padStart(8)} kB\n`;
    const lines = [line('MemTotal', memTotalKib), line('MemFree', memTotalKib), 'HugePages_Total:       0\n'];
    this.file('meminfo', [...lines, line('SwapTotal', swapTotalKib), line('SwapFree', swapFreeKib)].join(''));
  }

  /** Writes the files of a task, or writes them anew in place: descriptors kept on them see the new text. */
  put(task: FakeTask, folder = String(task.pid)): void {
    mkdirSync(join(this.root, folder), { recursive: true });
    this.file(`${folder}/stat`, statText(task));
    this.file(`${folder}/status`, statusText(task, this.pageKib));
    this.file(`${folder}/statm`, statmText(task));
    this.file(`${folder}/oom_score_adj`, `${task.adj ?? 0}\n`);
    if (task.environ !== undefined) this.file(`${folder}/environ`, task.environ);
    if (task.cmdline) this.file(`${folder}/cmdline`, task.cmdline.map((argument) => `${argument}\0`).join(''));
    if (task.cgroup !== undefined) this.file(`${folder}/cgroup`, task.cgroup);
    if (task.exe === undefined) return;
    rmSync(join(this.root, folder, 'exe'), { force: true });
    symlinkSync(task.exe, join(this.root, folder, 'exe'));
  }

  /** A task ends: descriptors kept on its statm tell nothing any more, and its pid is free. */
  end(pid: number): void {
    this.file(`${pid}/statm`, '');
    this.drop(pid);
  }

  /** Takes a task, or one of its files, away. */
  drop(pid: number, file = ''): void {
    rmSync(join(this.root, String(pid), file), { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The root of a /proc of 1 GiB with these tasks, of so many KiB each. It goes when the test process does. */
export function fakeProc(tasks: { pid: number; comm: string | Uint8Array; rssKib: number; adj?: number }[]): string {
  const proc = new FakeProc({ uptimeS: 5000.25, memTotalKib: 1048576 });
  process.once('exit', () => proc.remove());
  for (const { pid, comm, rssKib, adj = 0 } of tasks) {
    const rss = Math.floor(rssKib / 4);
    proc.put({ pid, comm, adj, rss, statRss: rss, vm: rss * 2, pte: 40, start: 100, mm: rssKib > 0 });
  }
  return proc.root;
}
