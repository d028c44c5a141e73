/** Stage: report. `badness record`: this machine, once or for a while, as a file that everything here can read in place of /proc. */
import { Recorder, recordedDomain } from '../linux/index.js';
import { integer, nativeOf, readArguments, refuseOperands, span, usage } from './arguments.js';
import { nativeCalls } from './doctor.js';
import { domainNamed } from './guard-options.js';
import { commandHelp, madeBy } from './help.js';
import { stoppedWithin, stopSignal } from './long-run.js';
import { harmless } from './names.js';
import { type NewFile, openNewFile } from './new-file.js';
import type { Values } from './options.js';
import { writeLines, writeText } from './output.js';
import { counted, memory } from './quantities.js';
import { openEngineFor } from './source.js';

const DAY_MS = 86_400_000;
const LEAST_MS = 50;
const MIB = 2 ** 20;
/** What a reader takes by itself. */
const MIB_USUAL = 256;

interface Plan {
  readonly forMs: number;
  readonly everyMs: number;
  readonly mostBytes: number;
}

function planOf(values: Values): Plan {
  if (values.every !== undefined && values.for === undefined) throw usage('--every goes with --for: how long?');
  if (values.force && values.output === undefined) throw usage('--force goes with -o');
  return {
    forMs: values.for === undefined ? 0 : span('--for', values.for, 0, DAY_MS),
    everyMs: values.every === undefined ? 1000 : span('--every', values.every, LEAST_MS, DAY_MS),
    mostBytes: integer('--max-mib', values['max-mib'] ?? String(MIB_USUAL), 1, 2047) * MIB,
  };
}

async function openRecorder(values: Values): Promise<Recorder> {
  const { native } = await nativeCalls(nativeOf(values));
  const domain = domainNamed(values.domain ?? 'system');
  return new Recorder(await openEngineFor('/proc'), {
    ...{ native, redact: values.redact === true, except: process.pid, madeBy: madeBy() },
    domain: recordedDomain(domain),
  });
}

/** The time of a recording, and what it waits by. */
export interface Pace {
  readonly nowMs: () => number;
  /** Resolves after so long, or when somebody stops it: whether that is so. */
  readonly rest: (ms: number) => Promise<boolean>;
}

/** Snapshots until the time is over, somebody stops it, or it is as large as it may be. Says what came of it. */
export async function recordInto(
  write: (text: string) => unknown,
  recorder: Pick<Recorder, 'head' | 'snapshot' | 'tail'>,
  { forMs, everyMs, mostBytes }: Plan,
  { nowMs, rest }: Pace,
): Promise<string> {
  const begin = nowMs();
  let [bytes, snapshots, tasks, readMs] = [0, 0, 0, 0];
  const put = async (text: string) => {
    bytes += Buffer.byteLength(text);
    await write(text);
  };
  await put(recorder.head());
  for (let dueMs = 0; dueMs <= forMs; ) {
    if (dueMs > 0 && (await rest(Math.max(0, begin + dueMs - nowMs())))) break;
    const beganMs = nowMs();
    const snapshot = recorder.snapshot();
    readMs += nowMs() - beganMs;
    // A part of a snapshot would be none.
    const isFull = snapshots > 0 && bytes + Buffer.byteLength(snapshot.text) > mostBytes;
    if (isFull) break;
    await put(snapshot.text);
    snapshots += 1;
    tasks = snapshot.tasks;
    // One that takes longer than the time between two leaves some out: --for is a time, not a number of them.
    dueMs = everyMs * Math.max(dueMs / everyMs + 1, Math.ceil((nowMs() - begin) / everyMs));
  }
  await put(recorder.tail());
  const took = `${Math.round(readMs / snapshots)} ms each`;
  return `${counted(snapshots, 'snapshot')} of ${counted(tasks, 'task')}, ${took}, ${memory(bytes)}`;
}

/** Runs the command. `argv` is what follows its name. */
export async function record(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('record', argv);
  if (values.help) return writeLines(commandHelp('record'));
  refuseOperands('record', positionals, '-o FILE names the file');
  const plan = planOf(values);
  const { output } = values;
  // What was recorded is kept. Before there is a file: whoever stops a recording that is only beginning leaves nothing half behind.
  const stop = stopSignal();
  const file: NewFile | null = output === undefined ? null : openNewFile(output, values.force === true);
  let words: string;
  try {
    const recorder = await openRecorder(values);
    const pace: Pace = { nowMs: () => performance.now(), rest: (ms) => stoppedWithin(ms, stop) };
    words = await recordInto(file ? (text) => file.write(text) : writeText, recorder, plan, pace);
  } catch (error) {
    file?.drop();
    throw error;
  }
  file?.keep();
  if (output !== undefined) process.stderr.write(`${harmless(output)}: ${words}\n`);
}
