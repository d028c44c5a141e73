#!/usr/bin/env node
/** Stage: report. The command line: chooses the command, and turns what it throws into one line and an exit code. */
import { nearestWord } from '../index.js';
import { usage } from './arguments.js';
import { COMMAND_NAMES, type CommandName } from './commands.js';
import { causeOf } from './exit.js';
import { commandHelp, generalHelp, version } from './help.js';
import { heedClosedPipe, say, writeLines } from './output.js';

type Run = (argv: string[]) => Promise<void>;

/** Each is loaded when it is called for: a guard holds what it has loaded for as long as it runs. */
const RUN: Record<CommandName, () => Promise<Run>> = {
  rank: async () => (await import('./rank.js')).rank,
  explain: async () => (await import('./explain.js')).explain,
  compare: async () => (await import('./compare.js')).compare,
  top: async () => (await import('./top.js')).top,
  guard: async () => (await import('./guard.js')).guard,
  ctl: async () => (await import('./ctl.js')).ctl,
  kill: async () => (await import('./kill.js')).kill,
  report: async () => (await import('./report.js')).report,
  doctor: async () => (await import('./doctor.js')).doctor,
  policy: async () => (await import('./policy.js')).policy,
  simulate: async () => (await import('./simulate.js')).simulate,
  test: async () => (await import('./test.js')).test,
  whatif: async () => (await import('./whatif.js')).whatif,
  fleet: async () => (await import('./fleet.js')).fleet,
  completion: async () => (await import('./completion.js')).completion,
  record: async () => (await import('./record.js')).record,
  preview: async () => (await import('./preview.js')).preview,
};

async function run([command, ...argv]: string[]): Promise<void> {
  if (command === undefined) throw usage(`expected a command: ${COMMAND_NAMES.join(', ')}; see badness --help`);
  if (['--help', '-h', 'help'].includes(command)) return help(argv);
  if (command === '--version' || command === '-V') return writeLines([version()]);
  if (Object.hasOwn(RUN, command)) return (await RUN[command as CommandName]())(argv);
  const what = command.startsWith('-') ? 'a command' : `one of ${COMMAND_NAMES.join(', ')}`;
  const hint = command.startsWith('-') ? '' : `, the nearest is ${nearestWord(command, COMMAND_NAMES)}`;
  throw usage(`expected ${what}, got ${JSON.stringify(command)}${hint}; see badness --help`);
}

/** `badness help`, and `badness help COMMAND` for those who would say it so. */
async function help([name, ...more]: string[]): Promise<void> {
  if (name === undefined) return writeLines(generalHelp());
  if (more.length === 0 && Object.hasOwn(RUN, name)) return writeLines(commandHelp(name as CommandName));
  throw usage(`help: expected one of ${COMMAND_NAMES.join(', ')}, got ${JSON.stringify([name, ...more].join(' '))}`);
}

heedClosedPipe();
try {
  await run(process.argv.slice(2));
} catch (error) {
  const { exit, message } = causeOf(error);
  say(message);
  process.exitCode = exit;
}
