/** Stage: report. What the command line heeds besides its words: variables of the environment, and files. For the man page. */

export const ENVIRONMENT: readonly (readonly [name: string, words: string])[] = [
  ['BADNESS_CONTROL', 'the socket of the guard, as --control; none for none.'],
  ['BADNESS_NATIVE', 'auto or none, as --native.'],
  ['XDG_RUNTIME_DIR', "where the socket of a user's guard is."],
  ['NO_COLOR', 'not empty: no colour.'],
  ['COLUMNS, LINES', 'the size of the terminal, where they are set.'],
  [
    'NOTIFY_SOCKET, WATCHDOG_USEC',
    'set by systemd: where a guard says that it watches, and how often it must come round.',
  ],
  ['STATE_DIRECTORY', 'set by systemd: where protected.json is kept instead.'],
  ['JOURNAL_STREAM', 'set by systemd: lines of a guard begin with their priority.'],
];

export const FILES: readonly (readonly [path: string, words: string])[] = [
  ['/run/badness/control.sock', "the control socket of root's guard."],
  [
    '/run/badness/control.sock.protected.json',
    'values of oom_score_adj that protection has changed, for the guard that comes after a crash.',
  ],
];
