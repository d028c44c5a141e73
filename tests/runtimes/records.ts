/** Decision records, as bytes: two runtimes decide the same when these are equal. Of given tables, and of snapshots of recordings. */
import { readFileSync } from 'node:fs';
import { decide } from '../../src/decision.js';
import { type Engine, loadTasks, parseTaskLines, type SchemeName } from '../../src/index.js';
import { definePolicy, type PolicyInput } from '../../src/policy/index.js';
import { openRecordedChooser, parseRecording, RecordedFiles } from '../../src/recording/index.js';

interface TableAsk {
  readonly name: string;
  readonly scheme: SchemeName;
  /** NDJSON. */
  readonly lines: string;
}

interface RecordingAsk {
  readonly name: string;
  /** A recording among the FILES of bundle.mjs, and the place of a snapshot in it. */
  readonly file: string;
  readonly snapshot: number;
  readonly policy: PolicyInput;
}

export type RecordAsk = TableAsk | RecordingAsk;

const hexadecimal = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

function decideTable(engine: Engine, { scheme, lines }: TableAsk): string {
  const { machine, options, tasks } = parseTaskLines(lines);
  loadTasks(engine, tasks, machine);
  return hexadecimal(decide(engine, { totalPages: machine.totalPages, ...options, scheme }).bytes);
}

async function decideRecorded(engine: Engine, { file, snapshot, policy }: RecordingAsk): Promise<string> {
  const files = new RecordedFiles(parseRecording(readFileSync(file, 'utf8')), snapshot);
  const chooser = await openRecordedChooser(engine, files, definePolicy(policy));
  return hexadecimal(chooser.decide().bytes);
}

/** One record an ask, as hexadecimal digits. */
export async function recordsOf(engine: Engine, asks: readonly RecordAsk[]): Promise<string[]> {
  const records: string[] = [];
  for (const ask of asks) {
    records.push('file' in ask ? await decideRecorded(engine, ask) : decideTable(engine, ask));
  }
  return records;
}
