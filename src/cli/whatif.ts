/** Stage: report. `badness whatif`: which decisions a new policy changes, in many recordings, over many threads. */
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { integer, readArguments, usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';
import { commandHelp } from './help.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';
import { lookAtAll } from './whatif-pool.js';

const JOBS_MOST = 64;
const ENDING = '.proc';

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

/** Runs the command. `argv` is what follows its name. */
export async function whatif(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('whatif', argv);
  if (values.help) return writeLines(commandHelp('whatif'));
  const { policy, against = null, all = false, json = false } = values;
  if (policy === undefined) throw usage('whatif: expected --policy FILE, the new policy');
  const paths = recordingsNamed(positionals);
  const jobs = jobsOf(values, paths.length);
  // Threads take as long to start as the rest of the command to be loaded.
  const results = import('./whatif-results.js');
  const options = results.then(({ policiesIn }) => policiesIn(policy, against)).then((both) => ({ ...both, all }));
  const looked = lookAtAll({ paths, jobs, options });
  const { writeResults } = await results;
  process.exitCode = await writeResults(paths, looked, json);
}
