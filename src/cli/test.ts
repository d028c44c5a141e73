/** Stage: report. `badness test`: whether a policy does what cases expect of it; nothing of this machine is touched. */
import { dirname, isAbsolute, join } from 'node:path';
import type { Policy } from '../policy/index.js';
import { playRecordedCase, type Recording } from '../recording/index.js';
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

/** Each file once, however many cases name it. */
function reading<T>(read: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const begun = new Map<string, Promise<T>>();
  return (path) => {
    const result = begun.get(path) ?? read(path);
    begun.set(path, result);
    return result;
  };
}

interface Files {
  scenario(path: string): Promise<Scenario>;
  recording(path: string): Promise<Recording>;
}

async function openCase(one: Case, file: string, files: Files): Promise<OpenedCase> {
  const named = (one.scenario ?? one.recording)!;
  const path = isAbsolute(named) ? named : join(dirname(file), named);
  if (one.scenario === undefined) {
    const recording = await files.recording(path);
    return { file, path, play: (policy) => playRecordedCase(one, recording, policy) };
  }
  const scenario = await files.scenario(path);
  return { file, path, play: (policy) => playCase(one, scenario, policy) };
}

/** Everything is read before anything is played. */
async function openCases(paths: readonly string[]): Promise<OpenedCase[]> {
  const files = { scenario: reading(openScenario), recording: reading(readRecordingFile) };
  const opened: OpenedCase[] = [];
  for (const path of paths) {
    for (const one of await casesIn(path)) opened.push(await openCase(one, path, files));
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
