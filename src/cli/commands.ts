/**
 * Stage: report. Every command of the command line, once: what follows its name, its options, its exit codes. The parser, the help
 * texts, the man page and the completion of shells are all made from this.
 */
import type { ExitName } from './exit.js';
import type { OptionName } from './options.js';

/** An option, with the words of this command where it has its own. */
export type Said = OptionName | readonly [option: OptionName, words: string];

/** Options below one heading. */
export interface Section {
  readonly title?: string;
  readonly options: readonly Said[];
}

export interface Command {
  /** What may follow `badness`, one way a line. */
  readonly usage: readonly string[];
  /** What stands for the words after its name in the list of all commands. */
  readonly operand?: string;
  /** For that list. */
  readonly summary: string;
  /** Paragraphs. */
  readonly about: readonly string[];
  /** What the words after its name may be, and mean; the first in lower case are words of the command line. */
  readonly operands?: readonly (readonly [label: string, words: string])[];
  readonly sections: readonly Section[];
  /** What names there are. */
  readonly lists?: readonly ('Schemes' | 'Columns')[];
  readonly exits: readonly ExitName[];
}

const SOURCES: Section = {
  title: 'Whose tasks',
  options: ['tasks', 'uptime', 'hz', 'total-pages', 'page-size', 'proc'],
};
const SCORING: Section = { title: 'How they are scored', options: ['max-discount', 'age', 'adj'] };
const OUTPUT: Section = { title: 'How it is shown', options: ['json', 'no-color', 'help'] };

const ANY: readonly ExitName[] = ['ok', 'unexpected', 'usage'];
const LOOKING: readonly ExitName[] = [...ANY, 'noSuchPid', 'unknownScheme', 'notLinux', 'badTask', 'unreadable'];
const KILLING: readonly ExitName[] = ['refused', 'stuck', 'noVictim', 'gone', 'busy'];

const rank: Command = {
  usage: ['rank [options]'],
  summary: 'everybody who may be chosen, worst first',
  about: [
    'Ranks the tasks of this machine by badness, worst first, and says who would be sacrificed if memory ran out, and why. Nobody is harmed.',
  ],
  sections: [
    {
      options: [
        'scheme',
        ['count', 'so many tasks; default: as many as the terminal shows, 20 in a pipe, everybody with --json'],
        'all',
        'columns',
        'rounds',
        'stats',
      ],
    },
    SOURCES,
    SCORING,
    OUTPUT,
  ],
  lists: ['Schemes', 'Columns'],
  exits: LOOKING,
};

const explain: Command = {
  usage: ['explain PID [options]'],
  operand: 'PID',
  summary: "every term of one task's points, in every scheme",
  about: [
    "Every term of one task's points, in each scheme side by side, and the sum of the first of them step by step.",
  ],
  sections: [
    {
      options: [
        ['scheme', 'only this scheme; can be given again. The first is the one that is shown step by step (badness)'],
      ],
    },
    SOURCES,
    SCORING,
    OUTPUT,
  ],
  lists: ['Schemes'],
  exits: LOOKING,
};

const compare: Command = {
  usage: ['compare [options]'],
  summary: 'whom each scheme would choose',
  about: ['Whom each scheme would choose, what that would give back, and how many schemes agree.'],
  sections: [{ options: [['count', 'the first N of each scheme (1)']] }, SOURCES, SCORING, OUTPUT],
  exits: LOOKING,
};

const guard: Command = {
  usage: ['guard [options]'],
  summary: 'watch memory, and act in time; a dry run without --enforce',
  about: [
    'Watches memory, and when it runs short chooses a task and says why. Only with --enforce is anybody killed: SIGTERM, later or at once SIGKILL, and a wait until its memory is back before anybody else is looked at. Ends on SIGTERM or SIGINT.',
  ],
  sections: [
    {
      options: [
        ['enforce', 'kill; without it a dry run, repeated once a minute at most'],
        [
          'domain',
          "what is short of memory: auto (default: the container's limit, else the machine), system, memcg:/PATH, node:N, descendants:PID,BUDGET (a process and all that come from it, such as descendants:4711,4GiB)",
        ],
        'scheme',
        'memory',
        'swap',
        'memory-kib',
        'swap-kib',
        'ignore',
        'avoid',
        'prefer',
        ['policy', 'thresholds, rules, notifiers and all else from a file; the options go over it'],
        'report',
        'before',
        'after',
        [
          'control',
          'where badness ctl and curl reach it, or none (default: /run/badness/control.sock, for a user $XDG_RUNTIME_DIR/badness/control.sock)',
        ],
        'control-group',
        'control-self',
        'native',
        ['json', 'NDJSON: one object an event'],
        'help',
      ],
    },
    SCORING,
  ],
  lists: ['Schemes'],
  exits: [...ANY, 'unknownScheme', 'notLinux', 'unreadable', 'unwatchable', 'badPolicy', 'noControl'],
};

const ctl: Command = {
  usage: ['ctl ASK [options]'],
  operand: 'ASK',
  summary: 'ask a guard that runs: queue, protection, state, events',
  about: ['Asks a guard that runs, or tells it something, over its control socket.'],
  operands: [
    ['oom', 'the candidate queue: who goes first; an empty line for none'],
    ['oom PID ...', 'these come first, in this order, until they are used up'],
    ['oom --clear', 'nobody does'],
    [
      'oom --feed',
      'keeps the queue filled with the worst of a ranking of its own, until SIGTERM or SIGINT; when it stops the queue is emptied',
    ],
    ['protect PID', 'never choose this task, nor what it forks from now on'],
    ['unprotect PID', 'choose it again'],
    ['status', 'who is protected'],
    ['state', 'domain, pressure, counters, token, queue, and the rest'],
    ['events', 'what happens, as it happens'],
    ['decisions', 'the last rounds'],
    ['round', 'one round now, whatever the pressure; kills only where the guard enforces'],
  ],
  sections: [
    {
      options: [
        'control',
        ['json', 'JSON, one object a line, instead of words'],
        'clear',
        'feed',
        ['count', 'oom --feed: so many candidates, 1..4096 (10); decisions: the last N, 1..64 (all)'],
        'every',
        ['scheme', 'oom --feed: how points are computed (badness)'],
        'help',
      ],
    },
    { title: 'How oom --feed scores', options: SCORING.options },
  ],
  exits: [
    ...([...ANY, 'noSuchPid', 'unknownScheme', 'notLinux'] as const),
    ...([...KILLING, 'noControl', 'forbidden', 'refusedAsk'] as const),
  ],
};

const kill: Command = {
  usage: ['kill [options]'],
  summary: 'one round by hand; a dry run without --enforce',
  about: [
    'One round by hand: chooses a task of this machine and says why. Only with --enforce is it killed: SIGTERM, SIGKILL 3 s later, and a wait of at most 10 s until its memory is back. Never chosen: pid 1, kernel threads, badness itself and its ancestors, and who takes a session along (Xorg, sshd, dbus-daemon, ...). When the kill is refused or the task is gone, nobody else is killed instead.',
  ],
  sections: [
    {
      options: [
        'enforce',
        'queue',
        'signal',
        'policy',
        'scheme',
        ['domain', 'what is short of memory; only system yet'],
        'native',
        ['json', 'one object on one line'],
        'help',
      ],
    },
    SCORING,
  ],
  lists: ['Schemes'],
  exits: [...ANY, 'unknownScheme', 'notLinux', 'unreadable', ...KILLING, 'badPolicy'],
};

const report: Command = {
  usage: ['report [options] [FILE]'],
  operand: '[FILE]',
  summary: 'OOM events in a kernel log, and the tables ranked again',
  about: [
    "Every out-of-memory event in a kernel log, of Linux 2.4 to today: who asked for memory, what was short, whom the kernel killed, and what that gave back. The task table of each is ranked again: by the scheme of the kernel that wrote it, which must name the kernel's victim (or it is said why that cannot be known), and by all others.",
  ],
  operands: [
    [
      'FILE',
      'dmesg, /dev/kmsg, syslog, journalctl -k as text or -o json; - or none is standard input: dmesg | badness report',
    ],
  ],
  sections: [
    {
      options: [
        ['count', 'rows of each table (5; 100 with --html)'],
        ['json', 'NDJSON: one object an event'],
        'html',
        'no-color',
        'help',
      ],
    },
  ],
  exits: [...ANY, 'unreadable'],
};

const doctor: Command = {
  usage: ['doctor [options]'],
  summary: 'what this machine lets badness do',
  about: [
    'What this machine lets badness do: which way signals go, capabilities, limits, memory cgroups, pressure, and other daemons that kill when memory is short. Looks only; nobody is signalled. Lines that begin with warning: are what a kill would miss here.',
  ],
  sections: [{ options: [['json', 'one object on one line'], 'help'] }],
  exits: [...ANY, 'notLinux'],
};

const policy: Command = {
  usage: ['policy check FILE', 'policy show [--effective] [FILE]', 'policy schema'],
  summary: 'checks a policy file, and shows what it comes to',
  about: [
    'A policy file (badness.toml) says what to watch, whom to spare and what to do; docs/policy.md has every key.',
  ],
  operands: [
    ['check FILE', 'says good, or what is wrong: line, key, what was expected'],
    ['show [FILE]', 'the policy as a policy file; without FILE the defaults'],
    ['schema', 'the JSON schema, for editors'],
  ],
  sections: [{ options: ['effective', 'help'] }],
  exits: [...ANY, 'unreadable', 'badPolicy'],
};

/** In the order of the help. */
export const COMMANDS = { rank, explain, compare, guard, ctl, kill, report, doctor, policy } as const;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** A command, for those who do not know which. */
export function commandNamed(name: CommandName): Command {
  return COMMANDS[name];
}

export function optionOf(said: Said): OptionName {
  return typeof said === 'string' ? said : said[0];
}

/** Every option that a command takes, in the order of its help. */
export function optionsOf(name: CommandName): OptionName[] {
  return commandNamed(name).sections.flatMap(({ options }) => options.map(optionOf));
}
