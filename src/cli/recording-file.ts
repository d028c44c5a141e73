/** Stage: bytes → table. A recording that the command line names, and which of its snapshots is meant. */
import { momentsOf, RecordedFiles, type Recording, RecordingReader } from '../recording/index.js';
import { span, usage } from './arguments.js';
import { feedFile } from './line-feed.js';
import type { Values } from './options.js';
import { say } from './output.js';

/** Of a recording without its last line. */
export const CUT_OFF = 'was cut off: its last line, end, is missing; the last snapshot may lack tasks';

const AT_FORMS = 'the number of a snapshot (from 1), a time since the first (12s, 500ms), first or last';

/** Reads a recording, `-` being standard input. What is not whole in it is said on standard error. */
export async function readRecordingFile(path: string): Promise<Recording> {
  const reader = new RecordingReader();
  await feedFile(path, reader, 'a recording', 'write other bytes as \\xNN');
  const recording = reader.end();
  if (!recording.isComplete) say(`${path} ${CUT_OFF}`);
  return recording;
}

/** Place of the snapshot that --at names; the last one without it. Of a time, the last that is not after it. */
function snapshotNamed(recording: Recording, at = 'last'): number {
  const count = recording.snapshots.length;
  if (at === 'first') return 0;
  if (at === 'last') return count - 1;
  if (/^\d+$/.test(at)) {
    if (Number(at) >= 1 && Number(at) <= count) return Number(at) - 1;
    throw usage(`--at must be a snapshot 1..${count}, got ${at}`);
  }
  if (!/^\d/.test(at)) throw usage(`--at must be ${AT_FORMS}, got ${JSON.stringify(at)}`);
  const ms = span('--at', at, 0, Number.MAX_SAFE_INTEGER);
  return momentsOf(recording).findLastIndex((moment) => moment <= ms);
}

/** The files of the snapshot that --replay and --at name. */
export async function openRecordedFiles(values: Values): Promise<RecordedFiles> {
  const recording = await readRecordingFile(values.replay!);
  return new RecordedFiles(recording, snapshotNamed(recording, values.at));
}
