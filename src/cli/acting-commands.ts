/** Stage: report. The commands that guard, kill and set up: what follows their names, their options, their exit codes. */
import { ANY, type Command, KILLING, SCORING } from './command.js';

export const guard: Command = {
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
        ['scheme', 'how points are computed (badness); or a plug-in of your own: ./own.wasm, ./own.mjs#export'],
        'memory',
        'swap',
        'memory-kib',
        'swap-kib',
        'ignore',
        'avoid',
        'prefer',
        'process-group',
        [
          'policy',
          'thresholds, rules, notifiers and all else from a file; the options go over it. SIGHUP reads it again, and a bad one changes nothing',
        ],
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
        'decisions',
        [
          'fleet',
          'servers of the fleet that this machine belongs to, or none; goes over [fleet] of the policy file (docs/fleet.md). Without them everything is as without a fleet',
        ],
        [
          'replay',
          'watch a recording (badness record) instead, in no time: what it would have done. Its own policy counts unless one is given',
        ],
        ['json', 'NDJSON: one object an event'],
        'help',
      ],
    },
    SCORING,
  ],
  lists: ['Schemes'],
  exits: [
    ...ANY,
    'unknownScheme',
    'notLinux',
    'unreadable',
    'unwatchable',
    'badPolicy',
    'noControl',
    'unannounced',
    'badPlugin',
  ],
};

export const ctl: Command = {
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
    ['decision ID', 'one of them, by the number that they show (#ID)'],
    ['round', 'one round now, whatever the pressure; kills only where the guard enforces'],
  ],
  sections: [
    {
      options: [
        'control',
        ['json', 'state, events, decisions, decision, round: JSON, one object a line, instead of words'],
        ['to-proc', 'decision ID: as a recording that replays to it, for rank and guard --replay'],
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

export const kill: Command = {
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

export const policy: Command = {
  usage: ['policy check FILE', 'policy show [--effective] [FILE]', 'policy schema', 'policy import-earlyoom [FILE]'],
  summary: 'checks a policy file, and shows what it comes to',
  about: [
    'A policy file (badness.toml) says what to watch, whom to spare and what to do; docs/policy.md has every key.',
  ],
  operands: [
    ['check FILE', 'says good, or what is wrong: line, key, what was expected'],
    ['show [FILE]', 'the policy as a policy file; without FILE the defaults'],
    ['schema', 'the JSON schema, for editors'],
    [
      'import-earlyoom [FILE]',
      'the policy that does what earlyoom does with its EARLYOOM_ARGS, of /etc/default/earlyoom or FILE (- is standard input); what has no equal is said',
    ],
  ],
  sections: [{ options: ['effective', 'help'] }],
  exits: [...ANY, 'unreadable', 'badPolicy'],
};

export const completion: Command = {
  usage: ['completion bash|zsh|fish'],
  operand: 'SHELL',
  summary: 'what a shell needs to complete all of this',
  about: [
    'Prints a script. For this session: source <(badness completion bash), source <(badness completion zsh), badness completion fish | source. For good: into /usr/share/bash-completion/completions/badness, into _badness in a folder of $fpath, or into ~/.config/fish/completions/badness.fish.',
  ],
  operands: [
    ['bash', 'bash, 4 or later'],
    ['zsh', 'zsh, after compinit'],
    ['fish', 'fish'],
  ],
  sections: [{ options: ['help'] }],
  exits: ANY,
};
