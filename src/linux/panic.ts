/** Stage: kill. How a panic ends on Linux: this process, the machine through sysrq, or a command without a shell. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { BadnessError } from '../errors.js';
import type { PanicActions } from '../guard/panic.js';
import { errorCode } from './identity.js';

const SYSRQ_PATH = '/proc/sysrq-trigger';
/** sysrq(8): boot again at once, without syncing or unmounting. */
const SYSRQ_REBOOT = 'b';
const ASK_GRACE_MS = 1000;

/** The part of a ChildProcess that starting one needs. */
export interface Started {
  once(event: 'spawn', listener: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  unref(): void;
}

export interface LinuxPanicOptions {
  /** Must be true for `reboot`. Default false. */
  readonly allowReboot?: boolean;
  /**
   * In a worker: asks the main thread to end the process with a code, say by a message. Without it, or when the main
   * thread has not done it a second later, the process ends by SIGKILL (137 in a shell) and not by a code: a worker has no
   * other way that a blocked main thread cannot hold up. Supervisors count SIGKILL as a failure, SIGTERM as success.
   */
  readonly askMain?: (code: number) => void;
  /** For tests. Default /proc/sysrq-trigger. */
  readonly sysrqPath?: string;
  /** For tests. Default child_process.spawn. */
  readonly spawn?: (file: string, args: readonly string[], options: SpawnOptions) => Started;
}

function exitFromWorker(code: number, askMain?: (code: number) => void): void {
  const kill = () => process.kill(process.pid, 'SIGKILL');
  let graceMs = 0;
  try {
    askMain?.(code);
    graceMs = askMain ? ASK_GRACE_MS : 0;
  } finally {
    if (graceMs > 0) setTimeout(kill, graceMs);
    else kill();
  }
}

/** Throws BadnessError `EPERM` unless allowed, and what open(2) and write(2) throw. */
function reboot({ allowReboot, sysrqPath = SYSRQ_PATH }: LinuxPanicOptions): void {
  if (allowReboot !== true) throw new BadnessError('EPERM', 'allowReboot is not set, so the machine is not rebooted');
  // Without O_CREAT: where there is no sysrq, no file is left behind.
  const file = openSync(sysrqPath, constants.O_WRONLY);
  try {
    writeSync(file, SYSRQ_REBOOT);
  } finally {
    closeSync(file);
  }
}

/** Why a panic could not restart the machine from here, by errno name; null when it could. Only opens it. */
export function rebootRefusal(sysrqPath = SYSRQ_PATH): string | null {
  try {
    closeSync(openSync(sysrqPath, constants.O_WRONLY));
    return null;
  } catch (error) {
    return errorCode(error);
  }
}

/** Rejects with what spawn reports: ENOENT, EACCES, EAGAIN, ENOMEM. The program outlives this process. */
function run(command: readonly string[], start: NonNullable<LinuxPanicOptions['spawn']>): Promise<void> {
  return new Promise((resolve, reject) => {
    const [file = '', ...args] = command;
    const child = start(file, args, { shell: false, detached: true, stdio: 'ignore' });
    child.once('error', reject);
    child.once('spawn', resolve);
    child.unref();
  });
}

/** The ends of a panic, for this process. */
export function linuxPanicActions(options: LinuxPanicOptions = {}): PanicActions {
  return {
    exit: (code) => (isMainThread ? process.exit(code) : exitFromWorker(code, options.askMain)),
    reboot: () => reboot(options),
    run: (command) => run(command, options.spawn ?? spawn),
  };
}
