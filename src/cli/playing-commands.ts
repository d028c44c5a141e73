/** Stage: report. What is written down of the commands that play scenarios, and look at no machine. */
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
  operands: [['SCENARIO', 'a FILE; docs/simulation.md has every key, and scenarios/ some from real trouble']],
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
    ['CASES', 'case files; docs/policy-tests.md has every key'],
  ],
  sections: [{ options: ['tap', 'junit', 'help'] }],
  exits: [...ANY, 'unreadable', 'badPolicy', 'badScenario', 'failed'],
};
