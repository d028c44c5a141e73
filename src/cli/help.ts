/** Stage: report. The help texts. What they promise is what tests/src/cli.test.ts checks. */
import { readFileSync } from 'node:fs';
import { SCHEMES } from '../index.js';
import { COLUMN_NAMES } from './columns.js';
import { wrapped } from './table.js';

export const COMMANDS = ['rank', 'explain', 'compare', 'guard', 'ctl', 'kill', 'report', 'doctor', 'policy'] as const;
export type CommandName = (typeof COMMANDS)[number];

const INDENT = ' '.repeat(4);

function list(words: readonly string[]): string {
  return wrapped(INDENT + words.join(', '), 80, INDENT).join('\n');
}

const SOURCES = `Where the tasks come from:
  --tasks FILE        rank task records (NDJSON, one object a line) instead of
                      this machine; - is standard input. The output of
                      rank --json is such a file
  --uptime S --hz N --total-pages N --page-size N
                      the machine of those tasks; a first line may say the same
                      ({"page_size":4096,"hz":100,"uptime_s":60,"total_pages":0})
  --proc ROOT         a Linux /proc mounted elsewhere`;

const SCORING = `How they are scored:
  --max-discount N    scheme badness: what age and CPU time divide by at most (4)
  --age WHOM          scheme badness: spare-old (default), spare-young or ignore
  --adj HOW           our own schemes: never-only (default; of oom_score_adj only
                      -1000 counts) or kernel (it adds thousandths of memory)`;

const OUTPUT = `How it is shown:
  --json              NDJSON: a line about the machine, then one object a line
  --no-color          no colour on a terminal either; NO_COLOR does the same`;

const EXITS = `Exit codes:
  0  done           1  unexpected error      2  wrong command line
  3  no such pid    4  unknown scheme        5  no Linux /proc here (--tasks works)
  6  bad line in a task file; nothing is ranked
  7  file cannot be read`;

const POLICY_EXIT = ' 14  bad policy file; each error is one line, FILE:LINE: ...';

const KILL_EXITS = `  8  kill refused by name, nobody was signalled (EPERM, ancestor, ...)
  9  stuck: signalled, and its memory is not back in time
 10  no task may be chosen
 11  the chosen task was gone, or another by then
 12  busy: another kill is in flight
 13  guard: the domain is not there, or its pressure cannot be read
${POLICY_EXIT}
 15  ctl: no guard listens there; guard: another does already, or none can
 16  ctl: this user may not ask the guard, or not for this (EACCES, EPERM)
 17  ctl: the guard refused by name (EINVAL, E2BIG, ...); nothing has changed`;

const TEXTS: Record<CommandName, () => string> = {
  rank: () => `Usage: badness rank [options]

Ranks the tasks of this machine by badness, worst first, and says who would be
sacrificed if memory ran out, and why. Nobody is harmed.

  --scheme NAME       how points are computed (badness)
  -n, --count N       so many tasks; default: as many as the terminal shows, 20 in
                      a pipe, everybody with --json
  --all               everybody, with those that may not be chosen and the reason
  --columns A,B,C     which columns
  --rounds N          decide N times before
  --stats             say what each of those rounds cost

${SOURCES}

${SCORING}

${OUTPUT}

Schemes:
${list(SCHEMES)}
Columns:
${list(COLUMN_NAMES)}

${EXITS}`,
  explain: () => `Usage: badness explain PID [options]

Every term of one task's points, in each scheme side by side, and the sum of the
first of them step by step.

  --scheme NAME       only this scheme; can be given again. The first is the one
                      that is shown step by step (badness)

${SOURCES}

${SCORING}

${OUTPUT}

Schemes:
${list(SCHEMES)}

${EXITS}`,
  compare: () => `Usage: badness compare [options]

Whom each scheme would choose, what that would give back, and how many schemes
agree.

  -n, --count N       the first N of each scheme (1)

${SOURCES}

${SCORING}

${OUTPUT}

${EXITS}`,
  guard: () => `Usage: badness guard [options]

Watches memory, and when it runs short chooses a task and says why. Only with
--enforce is anybody killed: SIGTERM, later or at once SIGKILL, and a wait until
its memory is back before anybody else is looked at. Ends on SIGTERM or SIGINT.

  --enforce           kill; without it a dry run, repeated once a minute at most
  --domain NAME       what is short of memory: auto (default: the container's
                      limit, else the machine), system, memcg:/PATH, node:N,
                      descendants:PID,BUDGET (a process and all that come from
                      it, such as descendants:4711,4GiB)
  --scheme NAME       how points are computed (badness)
  -m PERCENT[,KILL]   SIGTERM at or below so much available memory, SIGKILL at
                      KILL (10,5; KILL alone is half of PERCENT)
  -s PERCENT[,KILL]   and so much free swap, both at once (10,5)
  -M KIB[,KILL], -S KIB[,KILL]
                      the same in KiB; beside -m or -s the lower one counts
  --ignore REGEX      never tasks whose name it is found in (comm, 15 bytes)
  --avoid REGEX       a quarter of the points for those
  --prefer REGEX      four times the points: a factor of size, it never makes
                      a small task go before a large one by accident
  --policy FILE       thresholds, rules, notifiers and all else from a file; the
                      options go over it
  -r SECONDS          a line about memory so often (3600); 0 for none
  -P PROGRAM          run before a kill; 100 ms are waited for it
  -N PROGRAM          run after a kill. Both get EARLYOOM_PID, EARLYOOM_UID,
                      EARLYOOM_NAME and EARLYOOM_CMDLINE; no shell is involved
  --control PATH      where badness ctl and curl reach it, or none (default:
                      /run/badness/control.sock, for a user
                      $XDG_RUNTIME_DIR/badness/control.sock)
  --control-group G   members of this group may use it too
  --control-self      every task may ask for its own protection, and for no more
  --native HOW        auto (default) or none: without koffi; see badness doctor
  --json              NDJSON: one object an event

${SCORING}

Schemes:
${list(SCHEMES)}

${EXITS}
${KILL_EXITS}`,
  ctl: () => `Usage: badness ctl ASK [options]

Asks a guard that runs, or tells it something, over its control socket.

  oom                 the candidate queue: who goes first; an empty line for none
  oom PID ...         these come first, in this order, until they are used up
  oom --clear         nobody does
  oom --feed          keeps the queue filled with the worst of a ranking of its own,
                      until SIGTERM or SIGINT; when it stops the queue is emptied
  protect PID         never choose this task, nor what it forks from now on
  unprotect PID       choose it again
  status              who is protected
  state               domain, pressure, counters, token, queue, and the rest
  events              what happens, as it happens
  decisions           the last rounds
  round               one round now, whatever the pressure; kills only where the
                      guard enforces

  --control PATH      its socket (default: /run/badness/control.sock, for a user
                      $XDG_RUNTIME_DIR/badness/control.sock; or BADNESS_CONTROL)
  --json              JSON, one object a line, instead of words
  -n, --count N       oom --feed: so many candidates, 1..4096 (10)
                      decisions: the last N, 1..64 (all)
  --every MS          oom --feed: from one ranking to the next (1000). A list counts
                      three times as long
  --scheme NAME       oom --feed: how points are computed (badness)

${EXITS}
${KILL_EXITS}`,
  kill: () => `Usage: badness kill [options]

One round by hand: chooses a task of this machine and says why. Only with
--enforce is it killed: SIGTERM, SIGKILL 3 s later, and a wait of at most 10 s
until its memory is back. Never chosen: pid 1, kernel threads, badness itself and
its ancestors, and who takes a session along (Xorg, sshd, dbus-daemon, ...). When
the kill is refused or the task is gone, nobody else is killed instead.

  --enforce           kill; without it nobody is signalled
  --queue 'PID ...'   these first, the first one alive that may be chosen; when
                      there is none among them the scheme chooses
  --signal NAME       begin with TERM (default) or KILL
  --policy FILE       rules and parameters of a policy file; see badness policy
  --scheme NAME       how points are computed (badness)
  --domain NAME       what is short of memory; only system yet
  --native HOW        auto (default) or none: without koffi; see badness doctor
  --json              one object on one line

${SCORING}

Schemes:
${list(SCHEMES)}

${EXITS}
${KILL_EXITS}`,
  report: () => `Usage: badness report [options] [FILE]

Every out-of-memory event in a kernel log, of Linux 2.4 to today: who asked for
memory, what was short, whom the kernel killed, and what that gave back. The task
table of each is ranked again: by the scheme of the kernel that wrote it, which
must name the kernel's victim (or it is said why that cannot be known), and by
all others.

  FILE                dmesg, /dev/kmsg, syslog, journalctl -k as text or -o json;
                      - or none is standard input: dmesg | badness report
  -n, --count N       rows of each table (5; 100 with --html)
  --json              NDJSON: one object an event
  --html              one page with plots that needs nothing else
  --no-color          no colour on a terminal either; NO_COLOR does the same

${EXITS}`,
  doctor: () => `Usage: badness doctor [options]

What this machine lets badness do: which way signals go, capabilities, limits,
memory cgroups, pressure, and other daemons that kill when memory is short.
Looks only; nobody is signalled. Lines that begin with warning: are what a kill
would miss here.

  --json              one object on one line

${EXITS}`,
  policy: () => `Usage: badness policy check FILE
       badness policy show [--effective] [FILE]
       badness policy schema

A policy file (badness.toml) says what to watch, whom to spare and what to do;
docs/policy.md has every key.

  check FILE          says good, or what is wrong: line, key, what was expected
  show [FILE]         the policy as a policy file; without FILE the defaults
  --effective         with what the file leaves to the defaults, marked # default
  schema              the JSON schema, for editors

${EXITS}
${POLICY_EXIT}`,
};

/** The help of one command, in lines. */
export function commandHelp(command: CommandName): string[] {
  return TEXTS[command]().split('\n');
}

/** `badness --help`, in lines. */
export function generalHelp(): string[] {
  return `Usage: badness COMMAND [options]

Who would be sacrificed if this machine ran out of memory, and why.

  rank                everybody who may be chosen, worst first
  explain PID         every term of one task's points, in every scheme
  compare             whom each scheme would choose
  guard               watch memory, and act in time; a dry run without --enforce
  ctl ASK             ask a guard that runs: queue, protection, state, events
  kill                one round by hand; a dry run without --enforce
  report [FILE]       OOM events in a kernel log, and the tables ranked again
  doctor              what this machine lets badness do
  policy              checks a policy file, and shows what it comes to

  -h, --help          this text; badness COMMAND --help says more
  --version           the version

${EXITS}
${KILL_EXITS}`.split('\n');
}

/** The version of the package that this file was built into. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
