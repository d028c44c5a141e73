/** Stage: report. `badness fleet` as the command line has it: what follows its name, its options, its exit codes. */
import { ANY, type Command } from './command.js';

export const fleet: Command = {
  usage: ['fleet WORD ... [options]'],
  operand: 'WORD',
  summary: 'many machines: their policies, and what was decided on them',
  about: [
    'A fleet of machines on servers of NATS with JetStream (docs/fleet.md): one place for their policies, and for what was decided. TARGET is default (everybody), label:NAME or host:NAME; on each machine the most specific one counts. Needs packages that nobody else does; without them it says which.',
  ],
  operands: [
    ['setup', 'makes what the fleet needs on its servers: the stream of reports, the bucket of policies'],
    ['key FILE', 'makes a key that policies are signed with, and prints what machines are to trust'],
    ['policy put TARGET FILE', 'this policy counts for those from now on'],
    ['policy get TARGET [REVISION]', 'the policy that counts there, or did'],
    ['policy diff TARGET FILE|REVISION', 'what is another in that file, or was in that revision'],
    ['policy rollout TARGET [FILE]', 'to some of them first: --label, --percent; then --complete, or --stop'],
    ['policy shadow TARGET FILE|none', 'evaluated beside the one in force, and only told'],
    ['policy withdraw TARGET', 'no policy there any more: a less specific one counts, or that of the machine'],
    ['policy rollback TARGET REVISION', 'what stood there at a revision stands there again'],
    ['policy status', 'which policy each machine has, and which it refused'],
    ['recordings put FILE|FOLDER ...', 'for what-ifs: recordings go to the servers, by their paths as names'],
    ['recordings list [PATTERN]', 'those that are there; remove NAME ... takes one away'],
    ['what-if [PATTERN]', 'what --policy changes in those recordings, evaluated by all workers'],
    ['worker', 'evaluates recordings for whoever asks, until it is interrupted; any number, anywhere'],
  ],
  sections: [
    {
      options: [
        'fleet',
        'creds',
        'tls-ca',
        'tls-cert',
        'tls-key',
        'key',
        'label',
        'percent',
        'complete',
        'stop',
        ['policy', 'what-if: the new policy'],
        ['against', 'what-if: the old one; default: that of each recording, else the default one'],
        ['all', 'what-if: decide at every snapshot, as though memory were short at each'],
        'jobs',
        ['json', 'one object a line'],
        'help',
      ],
    },
  ],
  exits: [...ANY, 'unreadable', 'badPolicy', 'badTask', 'changed', 'noFleet', 'fleetRefused'],
};
