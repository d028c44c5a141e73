/**
 * Stage: bytes → table, for tasks that come as JSON, and report. NDJSON comes in: a first line that may say what
 * machine the tasks are of, then one task a line; plain objects go out, and back again. One bad line and nothing is
 * read: an error says which line, which key, what was expected and what came.
 *
 *     {"schema":1,"page_size":4096,"hz":100,"uptime_s":1804.55,"total_pages":6171023}
 *     {"tgid":812,"comm":"node","rss_pages":49152,"utime_jiffies":1200,"start_time_ticks":90210}
 */
import { SCHEMA_VERSION } from '../assembly/layout.js';
import { BadnessError } from './errors.js';
import type { RankedTask, ScoreOptions } from './rank.js';
import { MACHINE_DEFAULTS, type Machine, type Task } from './task.js';
import {
  MACHINE_KEYS,
  nearestWord,
  OPTION_KEYS,
  OUTPUT_KEYS,
  OUTPUT_MEMBERS,
  REGISTERED_ID,
  type RecordKey,
  SUMMARY_KEYS,
  TASK_KEYS,
} from './task-keys.js';

/** Longest line, in UTF-16 units: 1 MiB. */
export const TASK_LINE_MAX = 1_048_576;

/** What the lines said. */
export interface TaskLines {
  /** Of the first line; what it left out is as in MACHINE_DEFAULTS. */
  machine: Machine;
  /** How the tasks were scored by whoever wrote the lines; empty when the first line does not say. */
  options: ScoreOptions;
  tasks: Task[];
  /** The number of the line that each task stands on, from 1. */
  lines: number[];
}

/** A task as JSON has it: kernel spellings. */
export type TaskRecord = Record<string, string | number | boolean | null>;

/** One that was ranked, with what rules did to it. */
export type RankedRecord = Record<string, TaskRecord[string] | RankedTask['rules']>;

const TASKS_BY_JSON = new Map(TASK_KEYS.map((entry) => [entry.json, entry]));
const HEADER_BY_JSON = new Map<string, RecordKey<Machine & ScoreOptions>>(
  [...MACHINE_KEYS, ...OPTION_KEYS].map((entry) => [entry.json, entry]),
);
const HEADER_WORDS: readonly string[] = ['schema', ...HEADER_BY_JSON.keys(), ...SUMMARY_KEYS];
const OUTPUT_WORDS: readonly string[] = [...OUTPUT_KEYS, 'rules'];
/** Every key that the record of a ranked task can have, in the order they are written. */
export const RECORD_KEYS: readonly string[] = [...TASKS_BY_JSON.keys(), ...OUTPUT_KEYS];
const SHOWN_MAX = 40;

/** A value as a message shows it: JSON, not too long, on one line. */
function shown(value: unknown): string {
  let text = 'something too deep';
  try {
    text = JSON.stringify(value);
  } catch {
    // It is read without a stack, and written with one.
  }
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function refuse(line: number, words: string): never {
  throw new BadnessError('ETASKLINE', `line ${line}: ${words}`);
}

/** Reads tasks line by line; for who does not want to hold the whole text. */
export class TaskLineReader implements TaskLines {
  machine: Machine = { ...MACHINE_DEFAULTS };
  options: ScoreOptions = {};
  tasks: Task[] = [];
  lines: number[] = [];
  private line = 0;
  private begun = false;
  /** The line of each id. */
  private readonly seen = new Map<number, number>();

  /** Takes the next line, without its end. Throws BadnessError `ETASKLINE` or `ESCHEMA`. Blank lines are passed by. */
  add(text: string): void {
    this.line += 1;
    if (text.length > TASK_LINE_MAX) {
      refuse(this.line, `expected at most ${TASK_LINE_MAX} characters, got ${text.length}`);
    }
    if (text.trim() === '') return;
    const record = this.parse(text);
    const first = !this.begun;
    this.begun = true;
    const keys = Object.keys(record);
    if (first && isHeader(keys)) this.header(record, text);
    else if (!isStatistics(record)) this.task(record, text);
  }

  private parse(text: string): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      refuse(this.line, `expected one JSON object, got ${shown(text)}`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      refuse(this.line, `expected one JSON object, got ${shown(value)}`);
    }
    return value as Record<string, unknown>;
  }

  /** The value of a key when it is one that the key may hold. */
  private checked<T>(entry: RecordKey<T>, value: unknown, text: string): unknown {
    // JSON.parse rounds what is above 2^53 to a value that might be allowed.
    const rounded = value === 2 ** 53 && !/\b9007199254740992\b/.test(text);
    if (!entry.holds.accepts(value) || rounded) {
      refuse(this.line, `${entry.json}: expected ${entry.holds.expected}, got ${rounded ? 'more' : shown(value)}`);
    }
    return value;
  }

  private header(record: Record<string, unknown>, text: string): void {
    const machine: Record<string, unknown> = {};
    const options: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(record)) {
      if (name === 'schema') this.schema(value);
      const entry = HEADER_BY_JSON.get(name);
      if (!entry) {
        if (!HEADER_WORDS.includes(name)) this.unknown(name, HEADER_WORDS);
        continue;
      }
      const checked = this.checked(entry, value, text);
      if (entry.key in MACHINE_DEFAULTS) machine[entry.key] = checked;
      else options[entry.key] = checked;
    }
    this.machine = { ...this.machine, ...machine };
    this.options = options;
  }

  private schema(value: unknown): void {
    if (!Number.isInteger(value) || (value as number) < 1) {
      refuse(this.line, `schema: expected an integer 1..${SCHEMA_VERSION}, got ${shown(value)}`);
    }
    if ((value as number) > SCHEMA_VERSION) {
      throw new BadnessError(
        'ESCHEMA',
        `line ${this.line}: schema: expected ${SCHEMA_VERSION} or older, got ${value}; read it with the badness that wrote it, or a newer one`,
      );
    }
  }

  private task(record: Record<string, unknown>, text: string): void {
    const task: Record<string, unknown> = { tgid: 0 };
    for (const [name, value] of Object.entries(record)) {
      const entry = name === 'tgid' && record.kind === 'registered' ? REGISTERED_ID : TASKS_BY_JSON.get(name);
      if (entry) task[entry.key] = this.checked(entry, value, text);
      else if (!OUTPUT_WORDS.includes(name)) this.unknown(name, [...TASKS_BY_JSON.keys()]);
    }
    this.once(task as unknown as Task);
    this.tasks.push(task as unknown as Task);
    this.lines.push(this.line);
  }

  /** Two tasks of one id could be told apart by nobody. 0, which no task has, stands for not named. */
  private once({ tgid }: Task): void {
    if (tgid === 0) return;
    const before = this.seen.get(tgid);
    if (before !== undefined) refuse(this.line, `tgid: expected each task once, got ${tgid} of line ${before} again`);
    this.seen.set(tgid, this.line);
  }

  private unknown(name: string, words: readonly string[]): never {
    const elsewhere = HEADER_WORDS.includes(name);
    const hint = elsewhere ? 'it belongs to a first line of its own' : `the nearest is ${nearestWord(name, words)}`;
    return refuse(this.line, `${shown(name)}: expected a key of a task record; ${hint}`);
  }
}

/** Whether a first line speaks of the machine: no key of a task, at least one of a header. */
function isHeader(keys: string[]): boolean {
  return keys.some((name) => HEADER_WORDS.includes(name)) && !keys.some((name) => TASKS_BY_JSON.has(name));
}

/** The object that `rank --rounds --stats` ends with. */
function isStatistics(record: Record<string, unknown>): boolean {
  return Array.isArray(record.round_us);
}

/**
 * Reads NDJSON task records. Absent keys are 0 (an empty name, no flags); keys that a ranking adds are ignored, any
 * other unknown key is an error. Throws BadnessError `ETASKLINE` with line, key, what was expected and what came, and
 * `ESCHEMA` for lines of a newer version.
 */
export function parseTaskLines(text: string): TaskLines {
  const reader = new TaskLineReader();
  for (const line of text.split('\n')) reader.add(line);
  const { machine, options, tasks, lines } = reader;
  return { machine, options, tasks, lines };
}

/** The record of a task: the keys that it has, in the order of DESIGN. What reads it back gives the same task. */
export function taskToRecord(task: Task): TaskRecord {
  const record: TaskRecord = {};
  for (const { json, key } of TASK_KEYS) {
    const value = task[key];
    if (value !== undefined) record[json] = value;
  }
  return record;
}

/** The record of a ranked task: its own keys, then rank, points, eligible, reason, oom_score, and rules where there are some. */
export function rankedToRecord(task: RankedTask): RankedRecord {
  const record: RankedRecord = taskToRecord(task);
  for (const json of OUTPUT_KEYS) record[json] = task[OUTPUT_MEMBERS[json]];
  if (task.rules) record.rules = task.rules;
  return record;
}

/** The first line of a file of records: schema and machine, then how the tasks are scored as far as `options` says. */
export function machineToRecord(machine: Machine, options: ScoreOptions = {}): TaskRecord {
  const record: TaskRecord = { schema: SCHEMA_VERSION };
  for (const { json, key } of MACHINE_KEYS) record[json] = machine[key];
  for (const { json, key } of OPTION_KEYS) {
    const value = options[key];
    if (value !== undefined) record[json] = value;
  }
  return record;
}
