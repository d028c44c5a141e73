/** Stage: report. What can stop a command, and the exit code that each cause has. Scripts may rely on these numbers. */

export const EXIT = {
  ok: 0,
  /** Something nobody foresaw. */
  unexpected: 1,
  /** The command line is not one that the help describes. */
  usage: 2,
  /** No task has the pid asked for. */
  noSuchPid: 3,
  unknownScheme: 4,
  /** No Linux /proc here; tasks from a file still work. */
  notLinux: 5,
  /** A line of a task file is not a task record. Nothing was ranked. */
  badTask: 6,
  /** The file that a command was given cannot be read. */
  unreadable: 7,
  /** A kill was refused by name (EPERM, ancestor, …): nobody was signalled. */
  refused: 8,
  /** Signalled, and the memory is not back in time. */
  stuck: 9,
  /** No task may be chosen. */
  noVictim: 10,
  /** The chosen task ended, or its pid became another's, before it could be signalled. */
  gone: 11,
  /** Another kill is in flight, or a task is dying already. */
  busy: 12,
  /** What a guard is to watch is not there, or its pressure cannot be read. */
  unwatchable: 13,
  /** The policy file says something that is none. Nothing was done. */
  badPolicy: 14,
  /** ctl: no guard listens there. guard: another one does already, or the socket cannot be made there. */
  noControl: 15,
  /** This user may not ask the guard, or not for this (EACCES, EPERM). */
  forbidden: 16,
  /** The guard refused by another name (EINVAL, E2BIG, …), and nothing has changed. */
  refusedAsk: 17,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A cause that the user can do something about: one line on standard error, and its exit code. */
export class CommandError extends Error {
  readonly exit: ExitCode;

  constructor(exit: ExitCode, message: string) {
    super(message);
    this.exit = exit;
  }
}

const EXIT_OF_CODE: Record<string, ExitCode> = {
  ENOTLINUX: EXIT.notLinux,
  EUSERHZ: EXIT.notLinux,
  ETASKLINE: EXIT.badTask,
  ESCHEMA: EXIT.badTask,
  EPOLICY: EXIT.badPolicy,
  EPOLICYFILE: EXIT.unreadable,
};

/** The exit code and the words for whatever a command threw. */
export function causeOf(error: unknown): { exit: ExitCode; message: string } {
  if (error instanceof CommandError) return { exit: error.exit, message: error.message };
  const { code, message } = error as { code?: string; message?: string };
  const exit = EXIT_OF_CODE[code ?? ''];
  if (exit !== undefined) return { exit, message: message ?? code ?? '' };
  return { exit: EXIT.unexpected, message: `unexpected: ${message ?? String(error)}` };
}
