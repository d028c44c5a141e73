/** Stage: report. What comes of `badness whatif` as lines, and the policies that it is asked for. */
import type { Policy } from '../policy/index.js';
import type { Looked } from '../recording/index.js';
import { EXIT } from './exit.js';
import { restBeforeExit } from './long-run.js';
import { printable } from './names.js';
import { say, writeLines } from './output.js';
import { machinePolicyIn } from './policy.js';
import { CUT_OFF } from './recording-file.js';
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

export function policyIn(path: string): Promise<Policy> {
  return machinePolicyIn(path, 'needs a guard');
}

/** The new policy, and the old one where a file of it is named. */
export async function policiesIn(
  path: string,
  against: string | null,
): Promise<{ policy: Policy; against: Policy | null }> {
  const policy = await policyIn(path);
  return { policy, against: against === null ? null : await policyIn(against) };
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

/** Writes what came of the recordings at these paths, one by one; answers the exit code. */
export async function writeResults(
  paths: readonly string[],
  results: AsyncIterable<Looked>,
  json: boolean,
): Promise<number> {
  const totals = noTotals();
  let index = 0;
  for await (const looked of results) {
    addTo(totals, looked);
    await writeLines(linesOf(paths[index]!, looked, { json }));
    index += 1;
  }
  await writeLines(json ? [totalJson(totals)] : totalLines(totals));
  await restBeforeExit();
  return exitOf(totals);
}

export function exitOf({ changed, skipped }: Totals): number {
  if (changed > 0) return EXIT.changed;
  return skipped > 0 ? EXIT.badTask : EXIT.ok;
}
