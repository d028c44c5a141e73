/** What tests on the live /proc share: readings that held still, and children of the test's own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** Why this /proc does not tell what the kernel of this machine reckons with; undefined when it does. */
export function unlikeKernel(): string | undefined {
  if (process.platform !== 'linux') return `no Linux: ${process.platform}`;
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < 5 || (major === 5 && minor < 9)) return `kernel ${release()}: before 5.9, or a sandbox that looks so`;
  if (!existsSync('/proc/self/oom_score')) return '/proc/PID/oom_score is not there';
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  // lxcfs and its like mount files over those of /proc.
  if (/^(?:\S+ ){4}\/proc\/(?:meminfo|uptime) /m.test(mounts)) return '/proc/meminfo is virtualised (mounted over)';
  return undefined;
}

/** Whether pid 1 is the one of the machine, whom the kernel never kills, and not that of a container. */
export function seesGlobalInit(): boolean {
  const initialPidNamespace = 'pid:[4026531836]';
  return readlinkSync('/proc/self/ns/pid') === initialPidNamespace;
}

/** One reading of a process that did not change while it was read, and the kernel's own score of it. */
export interface Sample {
  pid: number;
  /** Texts by path below /proc, as many as a reader of this process asks for. */
  files: Map<string, Buffer>;
  oomScore: number;
}

const FORKED_WITHOUT_EXEC = 0x40;
const KERNEL_THREAD = 0x200000;

/** Paths below /proc of what a reader wants to know of a process. */
function pathsOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const paths = ['stat', 'status', 'statm', 'oom_score_adj'].map((file) => `${pid}/${file}`);
  if (fields[0] === 'Z') {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      paths.push(...['stat', 'status', 'statm'].map((file) => `${pid}/task/${tid}/${file}`));
    }
  }
  const forked = (Number(fields[6]) & (FORKED_WITHOUT_EXEC | KERNEL_THREAD)) === FORKED_WITHOUT_EXEC;
  if (forked && existsSync(`/proc/${fields[1]}/statm`)) {
    paths.push(`${fields[1]}/statm`);
    for (const tid of readdirSync(`/proc/${fields[1]}/task`)) paths.push(`${fields[1]}/task/${tid}/stat`);
  }
  return ['meminfo', ...paths];
}

/** What of a file must not change: all of it, but of meminfo only the sizes. */
function lasting(path: string): Buffer {
  const text = readFileSync(`/proc/${path}`);
  if (path !== 'meminfo') return text;
  return Buffer.from(
    `${text
      .toString()
      .match(/^(?:MemTotal|SwapTotal|SwapFree):.*$/gm)!
      .join('\n')}\n`,
  );
}

/** Reads a process twice, with the kernel's score in between. Undefined when it changed or went meanwhile. */
export function sample(pid: number): Sample | undefined {
  try {
    const files = new Map(pathsOf(pid).map((path) => [path, lasting(path)]));
    const oomScore = Number(readFileSync(`/proc/${pid}/oom_score`, 'utf8'));
    for (const [path, text] of files) if (!text.equals(lasting(path))) return undefined;
    return { pid, files, oomScore };
  } catch {
    return undefined;
  }
}

/** Writes a sample below a root of its own, so that the reader of a live /proc reads it. Returns that root. */
export function keep(folder: string, index: number, { files }: Sample): string {
  const root = join(folder, String(index));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** A temporary folder that goes with the test. */
/** A child of the test that ends with it, and answers a line with a line. */
export class Child {
  private readonly child: ChildProcess;
  private readonly ended: Promise<never>;

  constructor(t: TestContext, file: string, args: string[], uid?: number) {
    const user = uid === undefined ? {} : { uid };
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], ...user });
    t.after(() => this.kill());
    this.ended = once(this.child, 'exit').then(([code, signal]) => {
      throw new Error(`${file} ended early: ${code ?? signal}`);
    });
    // It ends with the test; only who waits for an answer wants to hear of it.
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The next line. */
  async answer(): Promise<string> {
    const [data] = await Promise.race([once(this.child.stdout!, 'data'), this.ended]);
    return String(data).trim();
  }

  /** Sends a line and waits for the next one back. */
  async ask(line: string): Promise<string> {
    const answer = this.answer();
    this.child.stdin!.write(`${line}\n`);
    return answer;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

/**
 * A child that touches memory on command and is otherwise still: between commands every thread of it sleeps.
 * `fill N` writes to N pages one after the other. `step N` reads one page in each of N areas that share no page table:
 * the page is the one of zeros, which nobody is charged for, so that exactly N pages of page tables are added.
 */
const TOUCHER = `
const { readSync, writeSync } = require('node:fs');
const [pageBytes, bytes] = process.argv.slice(1).map(Number);
const areaBytes = (pageBytes / 8) * pageBytes;
const memory = new Uint8Array(new ArrayBuffer(bytes));
let low = 0;
let high = bytes;
let zeros = 0;
const line = Buffer.alloc(64);
process.title = 'toucher';
writeSync(1, 'ready\\n');
for (;;) {
  const length = readSync(0, line, 0, 64, null);
  if (length === 0) process.exit(0);
  const [verb, count] = line.toString('latin1', 0, length).split(' ');
  for (let n = Number(count); n > 0; n--) {
    if (verb === 'fill') memory[(low += pageBytes)] = 1;
    else zeros += memory[(high -= areaBytes)];
  }
  writeSync(1, 'done\\n');
}`;

/** Starts one that can touch so many bytes. */
export async function startToucher(t: TestContext, pageBytes: number, bytes: number): Promise<Child> {
  const child = new Child(t, process.execPath, ['-e', TOUCHER, String(pageBytes), String(bytes)]);
  await child.answer();
  return child;
}

/** Compiles odd-child.c. Undefined where there is no C compiler. */
export function compileOddChild(folder: string): string | undefined {
  const file = join(folder, 'odd-child');
  try {
    execFileSync('cc', ['-pthread', '-o', file, 'tests/src/support/odd-child.c'], { stdio: 'ignore', timeout: 30_000 });
    return file;
  } catch {
    return undefined;
  }
}
