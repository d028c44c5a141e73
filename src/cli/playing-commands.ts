/** Stage: report. What is written down of the commands that play scenarios or recordings, and look at no machine. */
import { ANY, type Command } from './command.js';

export const simulate: Command = {
  usage: ['simulate SCENARIO... [options]'],
  operand: 'SCENARIO',
  summary: 'how policies do in a scenario, side by side',
  about: [
    'Plays scenarios in virtual time, under the code that guards a machine: who is killed, who of them was innocent, how long memory was short, what work was lost. Nothing of this machine is looked at, nobody is signalled.',
    'The kernel alone, without a guard, is always played; then what --policy and --scheme name, without either the default policy.',
    'SHORT is the time in which memory and swap are at 10 % or below, STALLED that in which everybody waits for memory, RELIEF the longest time from being short to not being it, WORK LOST the CPU time of everybody who was killed.',
  ],
  operands: [
    [
      'SCENARIO',
      'a FILE, - being standard input; docs/simulation.md has every key, and scenarios/ some from real trouble',
    ],
  ],
  sections: [
    {
      options: [
        ['policy', 'play this policy; can be given again'],
        ['scheme', 'play the default policy with this scheme, or all of them; can be given again'],
        'seed',
        'runs',
        ['count', 'lines of each timeline (16)'],
        'svg',
        ['json', 'NDJSON: one object a run'],
        'help',
      ],
    },
  ],
  again: ['policy', 'scheme'],
  exits: [...ANY, 'unknownScheme', 'unreadable', 'badPolicy', 'badScenario'],
};

export const test: Command = {
  usage: ['test POLICY CASES... [options]'],
  operand: 'POLICY CASES',
  summary: 'whether a policy does what cases expect of it',
  about: [
    'Policy tests: plays what case files name under a policy, and says of each case whether what came is what it expects. Nothing of this machine is looked at.',
  ],
  operands: [
    ['POLICY', 'a policy FILE (badness.toml)'],
    ['CASES', 'case files, - being standard input; docs/policy-tests.md has every key'],
  ],
  sections: [{ options: ['tap', 'junit', 'help'] }],
  exits: [...ANY, 'unreadable', 'badPolicy', 'badScenario', 'failed'],
};

export const whatif: Command = {
  usage: ['whatif --policy FILE [options] RECORDING...'],
  operand: 'RECORDING',
  summary: 'which decisions a new policy changes, in many recordings',
  about: [
    'Every decision that changes from an old policy to a new one, in recordings of any number of machines: the old victim and the new one, and why. A policy decides at each snapshot at which memory is short by its thresholds; each stands for itself, as though nobody had died before. Nothing of this machine is looked at.',
    'What comes out does not depend on the number of threads. A recording that cannot be read is named, counted, and left out.',
  ],
  operands: [['RECORDING', 'a FILE of badness record, or a folder: every file in it and below that ends in .proc']],
  sections: [
    {
      options: [
        ['policy', 'the new policy'],
        'against',
        ['all', 'at every snapshot, as though memory were short at each'],
        'jobs',
        ['json', 'NDJSON: one object a change or a recording that was left out; the last has the totals'],
        'help',
      ],
    },
  ],
  exits: [...ANY, 'badTask', 'unreadable', 'badPolicy', 'changed'],
};
