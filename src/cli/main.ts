#!/usr/bin/env node
/** Stage: report. The command line: chooses the command, and turns what it throws into one line and an exit code. */
import { nearestWord } from '../index.js';
import { usage } from './arguments.js';
import { COMMAND_NAMES, type CommandName } from './commands.js';
import { compare } from './compare.js';
import { completion } from './completion.js';
import { ctl } from './ctl.js';
import { doctor } from './doctor.js';
import { causeOf } from './exit.js';
import { explain } from './explain.js';
import { fleet } from './fleet.js';
import { guard } from './guard.js';
import { commandHelp, generalHelp, version } from './help.js';
import { kill } from './kill.js';
import { heedClosedPipe, say, writeLines } from './output.js';
import { policy } from './policy.js';
import { preview } from './preview.js';
import { rank } from './rank.js';
import { record } from './record.js';
import { report } from './report.js';
import { simulate } from './simulate.js';
import { test } from './test.js';
import { top } from './top.js';
import { whatif } from './whatif.js';

const RUN: Record<CommandName, (argv: string[]) => Promise<void>> = {
  rank,
  explain,
  compare,
  top,
  guard,
  ctl,
  kill,
  report,
  doctor,
  policy,
  simulate,
  test,
  whatif,
  fleet,
  completion,
  record,
  preview,
};

async function run([command, ...argv]: string[]): Promise<void> {
  if (command === undefined) throw usage(`expected a command: ${COMMAND_NAMES.join(', ')}; see badness --help`);
  if (['--help', '-h', 'help'].includes(command)) return help(argv);
  if (command === '--version' || command === '-V') return writeLines([version()]);
  if (Object.hasOwn(RUN, command)) return RUN[command as CommandName](argv);
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
