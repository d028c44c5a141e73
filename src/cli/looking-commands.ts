/** Stage: report. The commands that look at tasks, logs and the machine: what follows their names, their options, their exit codes. */
import { ANY, type Command, LOOKING, OUTPUT, SCORING, SOURCES } from './command.js';

const SCHEME_WORDS =
  'how points are computed (badness); or a plug-in of your own: ./own.wasm, ./own.mjs#export (docs/plugins.md)';
const POLICY_WORDS =
  'by the scheme, the parameters and the rules of a policy file; what the rules do to a task is shown';

export const rank: Command = {
  usage: ['rank [options]'],
  summary: 'everybody who may be chosen, worst first',
  about: [
    'Ranks the tasks of this machine by badness, worst first, and says who would be sacrificed if memory ran out, and why. Nobody is harmed.',
  ],
  sections: [
    {
      options: [
        ['scheme', SCHEME_WORDS],
        ['policy', POLICY_WORDS],
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
  exits: [...LOOKING, 'badPolicy', 'badPlugin'],
};

export const explain: Command = {
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
        ['policy', POLICY_WORDS],
      ],
    },
    SOURCES,
    SCORING,
    OUTPUT,
  ],
  again: ['scheme'],
  lists: ['Schemes'],
  exits: [...LOOKING, 'badPolicy', 'badPlugin'],
};

export const compare: Command = {
  usage: ['compare [options]'],
  summary: 'whom each scheme would choose',
  about: ['Whom each scheme would choose, what that would give back, and how many schemes agree.'],
  sections: [{ options: [['count', 'the first N of each scheme (1)']] }, SOURCES, SCORING, OUTPUT],
  exits: LOOKING,
};

export const top: Command = {
  usage: ['top [options]'],
  summary: 'the ranking, live, with memory, pressure and decisions',
  about: [
    'The ranking of rank, live: memory and pressure, who would go, and what a guard that runs has done. Keys: q ends, h says the others. Where standard input or output is no terminal, or a dumb one, it ranks once, as rank does.',
  ],
  sections: [
    {
      options: [
        [
          'every',
          'from one look to the next, 100..60000 (1000); later where looking would take more than a tenth of the time',
        ],
        ['scheme', 'how points are computed (that of the guard, without one badness)'],
        'control',
        'proc',
        'no-color',
        'help',
      ],
    },
    SCORING,
  ],
  lists: ['Schemes'],
  exits: [...ANY, 'unknownScheme', 'notLinux'],
};

export const record: Command = {
  usage: ['record [options]'],
  summary: 'this machine as a file, to look at elsewhere or later',
  about: [
    'Records this machine: its memory, its tasks, and what a policy may ask of them. rank, explain, compare, preview and guard take a recording in place of the machine (--replay FILE). It is text: read it before you send it, and --redact it if names tell too much. Nobody is signalled.',
  ],
  sections: [
    {
      options: [
        'for',
        ['every', 'from one snapshot to the next, such as 500ms (1s)'],
        'output',
        'force',
        'max-mib',
        'redact',
        ['domain', 'auto, system (default) or memcg:/PATH: its limit too, and its members only'],
        ['native', 'auto (default) or none: without koffi it is not known who shares memory with whom'],
        'help',
      ],
    },
  ],
  exits: [...ANY, 'notLinux', 'unreadable', 'unwatchable'],
};

export const preview: Command = {
  usage: ['preview --available HOW [options]'],
  summary: 'who dies if memory falls so low, and what that gives back',
  about: [
    'Who would die if available memory fell to HOW, in which order, and how much each gives back, until it is not short any more. An estimate, and it says what it assumes. Nobody is signalled.',
  ],
  sections: [
    {
      options: [
        'available',
        'swap-free',
        ['replay', 'on a recording instead of this machine; with its own policy, unless one is given'],
        'at',
        ['policy', 'thresholds and rules of a policy file; the options go over it'],
        'scheme',
        ['memory', 'what is short: as for badness guard'],
        'swap',
        'memory-kib',
        'swap-kib',
        'ignore',
        'avoid',
        'prefer',
        ['domain', 'what falls: as for badness guard (auto)'],
        ['count', 'at most so many deaths (1000)'],
        ['native', 'auto (default) or none: without koffi it is not known who shares memory with whom'],
        ['json', 'one object on one line'],
        'help',
      ],
    },
    SCORING,
  ],
  lists: ['Schemes'],
  exits: [...ANY, 'unknownScheme', 'notLinux', 'badTask', 'unreadable', 'noVictim', 'unwatchable', 'badPolicy'],
};

export const report: Command = {
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
        ['policy', 'whom this policy would have chosen from each table; can be given again'],
        ['count', 'rows of each table (5; 100 with --html)'],
        [
          'to-proc',
          'the tables as a recording, a snapshot each, for rank, explain, compare, preview and guard --replay',
        ],
        ['json', 'NDJSON: one object an event'],
        'html',
        'no-color',
        'help',
      ],
    },
  ],
  again: ['policy'],
  exits: [...ANY, 'unreadable', 'badPolicy'],
};

export const doctor: Command = {
  usage: ['doctor [options]'],
  summary: 'what this machine lets badness do',
  about: [
    'What this machine lets badness do: which way signals go, capabilities, limits, memory cgroups, pressure, and other daemons that kill when memory is short. Looks only; nobody is signalled. Lines that begin with warning: are what a kill would miss here.',
  ],
  sections: [{ options: [['json', 'one object on one line'], 'help'] }],
  exits: [...ANY, 'notLinux'],
};
