/** Stage: report. `badness whatif`: which decisions a new policy changes, in many recordings, over many threads. */
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Policy } from '../policy/index.js';
import type { Looked } from '../recording/index.js';
import { integer, readArguments, usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';
import { commandHelp } from './help.js';
import { restBeforeExit } from './long-run.js';
import { printable } from './names.js';
import type { Values } from './options.js';
import { say, writeLines } from './output.js';
import { machinePolicyIn } from './policy.js';
import { CUT_OFF } from './recording-file.js';
import { lookAtAll } from './whatif-pool.js';
import {
  addTo,
  changeJson,
  changeLines,
  noTotals,
  skippedJson,
  type Totals,
  totalJson,
  totalLines,
} from './whatif-words.js';

const JOBS_MOST = 64;
const ENDING = '.proc';

export function policyIn(path: string): Promise<Policy> {
  return machinePolicyIn(path, 'needs a guard');
}

/** Recordings in a folder and below, by their names. Links to folders are not followed. */
function recordingsBelow(folder: string): string[] {
  const found = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return found.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return recordingsBelow(path);
    return entry.name.endsWith(ENDING) ? [path] : [];
  });
}

/** A file that is not there is one that cannot be read: it is named later, in its place. */
export function recordingsNamed(operands: readonly string[]): string[] {
  if (operands.length === 0) throw usage('expected a RECORDING, got nothing; see badness --help');
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  try {
    const paths = operands.flatMap((path) => (isFolder(path) ? recordingsBelow(path) : [path]));
    if (paths.length > 0) return paths;
  } catch (error) {
    const { path, code } = error as NodeJS.ErrnoException;
    throw new CommandError(EXIT.unreadable, `expected a folder of recordings at ${path}, got ${code}`);
  }
  throw new CommandError(EXIT.unreadable, `expected files that end in ${ENDING} in ${operands.join(', ')}, found none`);
}

function jobsOf({ jobs }: Values, recordings: number): number {
  const asked = jobs === undefined ? availableParallelism() : integer('--jobs', jobs, 1, JOBS_MOST);
  return Math.min(asked, recordings, JOBS_MOST);
}

export interface LinesOf {
  readonly json: boolean;
  /** What a change at a snapshot is called. */
  readonly idOf?: (snapshot: number) => string;
}

/** Lines for standard output; words about a recording that is not whole go to standard error. */
export function linesOf(path: string, looked: Looked, { json, idOf }: LinesOf): string[] {
  const note = (words: string) => say(`${printable(path)}: ${words}`);
  if (looked.kind === 'bad') {
    note(`left out: ${looked.words}`);
    return json ? [skippedJson(path, looked.code, looked.words)] : [];
  }
  const { isComplete, result } = looked;
  if (!isComplete) note(CUT_OFF);
  return result.changes.flatMap((change) =>
    json ? [changeJson(path, change, idOf?.(change.snapshot))] : changeLines(path, change),
  );
}

/** Runs the command. `argv` is what follows its name. */
export async function whatif(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('whatif', argv);
  if (values.help) return writeLines(commandHelp('whatif'));
  if (values.policy === undefined) throw usage('whatif: expected --policy FILE, the new policy');
  const paths = recordingsNamed(positionals);
  const policy = await policyIn(values.policy);
  const against = values.against === undefined ? null : await policyIn(values.against);
  const { all = false, json = false } = values;
  const totals = noTotals();
  let index = 0;
  for await (const looked of lookAtAll({ paths, policy, against, all, jobs: jobsOf(values, paths.length) })) {
    addTo(totals, looked);
    await writeLines(linesOf(paths[index]!, looked, { json }));
    index += 1;
  }
  await writeLines(json ? [totalJson(totals)] : totalLines(totals));
  await restBeforeExit();
  process.exitCode = exitOf(totals);
}

export function exitOf({ changed, skipped }: Totals): number {
  if (changed > 0) return EXIT.changed;
  return skipped > 0 ? EXIT.badTask : EXIT.ok;
}
