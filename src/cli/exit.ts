/** Stage: report. What can stop a command, and the exit code that each cause has. Scripts may rely on these numbers. */

/** Every exit code, and what it means in the words of help and man page. */
export const EXITS = {
  ok: { code: 0, words: 'done' },
  unexpected: { code: 1, words: 'unexpected error' },
  usage: { code: 2, words: 'wrong command line' },
  noSuchPid: { code: 3, words: 'no such pid' },
  unknownScheme: { code: 4, words: 'unknown scheme' },
  notLinux: { code: 5, words: 'no Linux /proc here (--tasks works)' },
  badTask: { code: 6, words: 'bad line in a task file or a recording; nothing is ranked' },
  unreadable: { code: 7, words: 'file cannot be read' },
  refused: { code: 8, words: 'kill refused by name, nobody was signalled (EPERM, ancestor, ...)' },
  stuck: { code: 9, words: 'stuck: signalled, and its memory is not back in time' },
  noVictim: { code: 10, words: 'no task may be chosen' },
  /** It ended, or its pid became another's, before it could be signalled. */
  gone: { code: 11, words: 'the chosen task was gone, or another by then' },
  /** Or a task is dying already. */
  busy: { code: 12, words: 'busy: another kill is in flight' },
  unwatchable: { code: 13, words: 'guard: the domain is not there, or its pressure cannot be read' },
  badPolicy: { code: 14, words: 'bad policy file; each error is one line, FILE:LINE: ...' },
  noControl: { code: 15, words: 'ctl: no guard listens there; guard: another does already, or none can' },
  forbidden: { code: 16, words: 'ctl: this user may not ask the guard, or not for this (EACCES, EPERM)' },
  refusedAsk: { code: 17, words: 'ctl: the guard refused by name (EINVAL, E2BIG, ...); nothing has changed' },
  unannounced: {
    code: 18,
    words: 'guard: systemd waits to hear that it watches, and cannot (no koffi)',
  },
  badPlugin: { code: 19, words: 'the plug-in is none, or does not answer; see docs/plugins.md' },
  badScenario: { code: 20, words: 'bad scenario or case file; each error is one line, FILE:LINE: ...' },
  failed: { code: 21, words: 'test: a case failed' },
  changed: { code: 22, words: 'whatif: some decision changes' },
  noFleet: { code: 23, words: 'fleet: no server, not let in, or its packages are not installed' },
  fleetRefused: { code: 24, words: 'fleet: refused by name (no key, not signed, ...); nothing has changed' },
} as const;

export type ExitName = keyof typeof EXITS;

/** The codes by their names. */
export const EXIT = Object.fromEntries(Object.entries(EXITS).map(([name, { code }]) => [name, code])) as {
  readonly [Name in ExitName]: (typeof EXITS)[Name]['code'];
};

export type ExitCode = (typeof EXIT)[ExitName];

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
  ERECORDING: EXIT.badTask,
  ENOMEMORY: EXIT.badTask,
  EBADMSG: EXIT.badTask,
  EPOLICY: EXIT.badPolicy,
  EPOLICYFILE: EXIT.unreadable,
  ENOTIFY: EXIT.unannounced,
  EDOMAIN: EXIT.unwatchable,
  EPRESSURE: EXIT.unwatchable,
  EPLUGIN: EXIT.badPlugin,
  ESCENARIO: EXIT.badScenario,
  ECASES: EXIT.badScenario,
};

/** The exit code and the words for whatever a command threw. */
export function causeOf(error: unknown): { exit: ExitCode; message: string } {
  if (error instanceof CommandError) return { exit: error.exit, message: error.message };
  const { code, message } = error as { code?: string; message?: string };
  const exit = EXIT_OF_CODE[code ?? ''];
  if (exit !== undefined) return { exit, message: message ?? code ?? '' };
  return { exit: EXIT.unexpected, message: `unexpected: ${message ?? String(error)}` };
}
