/** Stage: kill. A program that is run before or after a kill, as -P and -N of earlyoom: with the victim in its environment, without a shell. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Notifier } from '../guard/notifier.js';
import type { VictimFacts } from '../guard/round-events.js';

/** A program to start around a kill, without a shell, and when. */
export interface CommandNotifierOptions {
  readonly phase: 'beforeKill' | 'afterKill';
  /** A program and its arguments. */
  readonly command: readonly string[];
}

/** More of a command line than anybody reads. */
const CMDLINE_MOST = 4096;

/** NUL-separated, as /proc has it. Reading one that was swapped out may take long: the caller has a limit of time. */
async function cmdlineOf(tgid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${tgid}/cmdline`, 'latin1');
    return text.slice(0, CMDLINE_MOST).replace(/\0+$/, '').replaceAll('\0', ' ');
  } catch {
    // Gone, or not ours to read.
    return '';
  }
}

/** The environment of a program that is told of a victim, as earlyoom's. */
export function victimEnvironment({ tgid, uid, comm }: VictimFacts, cmdline: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    EARLYOOM_PID: String(tgid),
    EARLYOOM_UID: String(uid),
    // A name is whatever its process wanted; NUL cannot be in it, and nothing here goes through a shell.
    EARLYOOM_NAME: comm,
    EARLYOOM_CMDLINE: cmdline,
  };
}

/** A guard is the last that the kernel kills (OOMScoreAdjust=-1000); what it starts is not. */
export function endInheritance(pid: number, root = '/proc'): void {
  try {
    if (Number(readFileSync(`${root}/self/oom_score_adj`, 'latin1')) >= 0) return;
    writeFileSync(`${root}/${pid}/oom_score_adj`, '0');
  } catch {
    // It has ended already, or is somebody else's.
  }
}

/**
 * Runs a program without a shell. Resolves when it has ended; rejects when it cannot be started. It is ended only by `signal`, not when
 * nobody waits any more.
 */
export function runCommand(command: readonly string[], env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const [file = '', ...args] = command;
    const child = spawn(file, args, {
      env,
      shell: false,
      stdio: 'ignore',
      detached: true,
      ...(signal ? { signal } : {}),
    });
    if (child.pid !== undefined) endInheritance(child.pid);
    child.once('error', reject);
    child.once('exit', () => resolve());
    child.unref();
  });
}

/** @throws TypeError when there is no program. */
export function commandNotifier({ phase, command }: CommandNotifierOptions): Notifier {
  if (!command[0]) throw new TypeError('command must be a program and its arguments, got nothing');
  const name = `${phase} ${command[0]}`;
  // After the kill there is no /proc/PID to read: what it was is remembered from before.
  let last = { tgid: 0, cmdline: '' };
  const remember = async ({ tgid }: VictimFacts) => {
    last = { tgid, cmdline: await cmdlineOf(tgid) };
  };
  if (phase === 'beforeKill') {
    return {
      name,
      beforeKill: async ({ victim }) => {
        await remember(victim);
        await runCommand(command, victimEnvironment(victim, last.cmdline));
      },
    };
  }
  return {
    name,
    beforeKill: ({ victim }) => remember(victim),
    afterKill: async ({ victim }) => {
      if (victim) await runCommand(command, victimEnvironment(victim, last.tgid === victim.tgid ? last.cmdline : ''));
    },
  };
}
