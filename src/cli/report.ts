/** Stage: report. `badness report`: every OOM event in a kernel log, and the table of each ranked again. */
import { createReadStream } from 'node:fs';
import { type Engine, openEngine } from '../index.js';
import {
  eventToJson,
  KernelLogReader,
  type LogCounts,
  type OomEvent,
  type Reranking,
  rerank,
} from '../report/index.js';
import { readArguments, rowCount, usage } from './arguments.js';
import { paletteFor } from './colour.js';
import { CommandError, EXIT } from './exit.js';
import { commandHelp } from './help.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';
import { logLines } from './report-facts.js';
import { eventSection, pageFoot, pageHead } from './report-html.js';
import { eventLines } from './report-lines.js';
import { procForm } from './report-proc.js';
import { screenOf, wrapped } from './table.js';

const ROWS_USUAL = 5;
const ROWS_OF_PAGE = 100;
const ROWS_WITHOUT_TABLE = 64;

/** How events are shown: what comes before them all, for each, and at the end. */
interface Form {
  head: string[];
  event(event: OomEvent, reranking: Reranking, number: number, engine: Engine): string[];
  foot(counts: LogCounts, events: number, ranked: number): string[];
}

function peoplesForm(values: Values): Form {
  const { width, isTerminal } = screenOf(process.stdout);
  const palette = paletteFor(isTerminal, values['no-color'] === true);
  const screen = { count: rowCount(values) ?? ROWS_USUAL, width, palette };
  return {
    head: [],
    event: (event, reranking, number) => eventLines(event, reranking, number, screen),
    foot: (...log) => logLines(...log).flatMap((line) => wrapped(line, width)),
  };
}

function formOf(values: Values, path: string): Form {
  if (values.json) {
    return { head: [], event: (event, reranking) => [JSON.stringify(eventToJson(event, reranking))], foot: () => [] };
  }
  if (values['to-proc']) {
    const form = procForm();
    return { head: [], event: (event, reranking, _, engine) => form.event(engine, event, reranking), foot: form.foot };
  }
  if (!values.html) return peoplesForm(values);
  return {
    head: pageHead(path === '-' ? 'standard input' : path),
    event: (event, reranking, number) => eventSection(event, reranking, number, rowCount(values) ?? ROWS_OF_PAGE),
    foot: (...log) => pageFoot(logLines(...log)),
  };
}

/** The events of a log, each as soon as it is complete. */
async function* eventsOf(path: string, reader: KernelLogReader): AsyncGenerator<OomEvent> {
  const stream = path === '-' ? process.stdin : createReadStream(path);
  try {
    for await (const chunk of stream) yield* reader.addBytes(chunk as Buffer);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new CommandError(EXIT.unreadable, `expected a kernel log at ${path}, got ${code}`);
  }
  yield* reader.end();
}

function pathOf(positionals: string[]): string {
  if (positionals.length > 1)
    throw usage(`report takes one FILE, got ${positionals.length}; see badness report --help`);
  const [path] = positionals;
  if (path !== undefined) return path;
  if (process.stdin.isTTY) throw usage('report expects a FILE, or a log on standard input: dmesg | badness report');
  return '-';
}

/** Runs the command. `argv` is what follows its name. */
export async function report(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('report', argv);
  if (values.help) return writeLines(commandHelp('report'));
  const [one, other] = (['json', 'html', 'to-proc'] as const).filter((option) => values[option]);
  if (other) throw usage(`--${one} and --${other} exclude each other`);
  if (rowCount(values) !== undefined && (values.json || values['to-proc'])) {
    throw usage(`-n is for tables; --${one} always has every row`);
  }
  const path = pathOf(positionals);
  const form = formOf(values, path);
  const reader = new KernelLogReader();
  let engine: Engine | null = null;
  let events = 0;
  let ranked = 0;
  // What is wrong with the file is said before anything else is.
  let head = form.head;
  for await (const event of eventsOf(path, reader)) {
    const rows = Math.max(event.rows.length, ROWS_WITHOUT_TABLE);
    if (engine === null || engine.capacity < rows) engine = await openEngine({ maxTasks: rows });
    const reranking = rerank(engine, event);
    events += 1;
    if (reranking.ranking) ranked += 1;
    await writeLines([...head, ...form.event(event, reranking, events, engine)]);
    head = [];
  }
  await writeLines([...head, ...form.foot(reader.counts, events, ranked)]);
}
