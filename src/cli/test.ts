/** Stage: report. `badness test`: whether a policy does what cases expect of it; nothing of this machine is touched. */
import { dirname, isAbsolute, join } from 'node:path';
import type { Policy } from '../policy/index.js';
import { playRecordedCase } from '../recording/index.js';
import { type Case, type CaseResult, parseCases, playCase, type Scenario } from '../simulate/index.js';
import { readArguments, usage } from './arguments.js';
import { openScenario, playablePolicy } from './contenders.js';
import { EXIT } from './exit.js';
import { commandHelp } from './help.js';
import { restBeforeExit } from './long-run.js';
import { writeLines } from './output.js';
import { counted } from './quantities.js';
import { readRecordingFile } from './recording-file.js';
import { junitText, type Played, tapLines, wordLines } from './test-output.js';
import { readTextFile, wellFormed, writeTextFile } from './text-file.js';

/** What a case plays, under whatever policy. */
interface OpenedCase {
  readonly file: string;
  readonly path: string;
  play(policy: Policy): Promise<CaseResult>;
}

function casesIn(path: string): Promise<readonly Case[]> {
  return wellFormed(path, async () => parseCases(readTextFile(path, 'a case file'), path));
}

async function openCase(one: Case, file: string, scenarios: Map<string, Scenario>): Promise<OpenedCase> {
  const named = (one.scenario ?? one.recording)!;
  const path = isAbsolute(named) ? named : join(dirname(file), named);
  if (one.scenario === undefined) {
    const recording = await readRecordingFile(path);
    return { file, path, play: (policy) => playRecordedCase(one, recording, policy) };
  }
  const scenario = scenarios.get(path) ?? (await openScenario(path));
  scenarios.set(path, scenario);
  return { file, path, play: (policy) => playCase(one, scenario, policy) };
}

/** Everything is read before anything is played. */
async function openCases(files: readonly string[]): Promise<OpenedCase[]> {
  const scenarios = new Map<string, Scenario>();
  const opened: OpenedCase[] = [];
  for (const file of files) {
    for (const one of await casesIn(file)) opened.push(await openCase(one, file, scenarios));
  }
  return opened;
}

/** Runs the command. `argv` is what follows its name. */
export async function test(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('test', argv);
  if (values.help) return writeLines(commandHelp('test'));
  const [policyPath, ...files] = positionals;
  if (policyPath === undefined || files.length === 0) {
    throw usage(
      `test: expected a POLICY and CASES, got ${counted(positionals.length, 'file')}; see badness test --help`,
    );
  }
  const policy = await playablePolicy(policyPath);
  const opened = await openCases(files);
  const played: Played[] = [];
  for (const { file, path, play } of opened) played.push({ file, path, result: await play(policy) });
  if (values.junit !== undefined) writeTextFile(values.junit, junitText(played));
  await writeLines(values.tap ? tapLines(played) : wordLines(played));
  await restBeforeExit();
  if (played.some(({ result }) => result.failed)) process.exitCode = EXIT.failed;
}
