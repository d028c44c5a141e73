/** Stage: report. `badness report`: every OOM event in a kernel log, and the table of each ranked again. */
import { createReadStream } from 'node:fs';
import { type Engine, openEngine } from '../index.js';
import {
  eventToJson,
  KernelLogReader,
  type LogCounts,
  type OomEvent,
  type PolicyChoice,
  policyChoices,
  type Reranking,
  rerank,
} from '../report/index.js';
import { readArguments, rowCount, usage } from './arguments.js';
import { paletteFor } from './colour.js';
import { CommandError, EXIT } from './exit.js';
import { commandHelp } from './help.js';
import type { Values } from './options.js';
import { writeExactly, writeLines } from './output.js';
import { type Fact, logLines } from './report-facts.js';
import { eventSection, pageFoot, pageHead } from './report-html.js';
import { eventLines } from './report-lines.js';
import { askedPolicies, policiesFacts } from './report-policies.js';
import { procForm } from './report-proc.js';
import { screenOf, wrapped } from './table.js';

const ROWS_USUAL = 5;
const ROWS_OF_PAGE = 100;
const ROWS_WITHOUT_TABLE = 64;

/** An event and what was found out about it. */
interface Told {
  event: OomEvent;
  reranking: Reranking;
  /** Of policies; undefined where none was asked. */
  choices: PolicyChoice[] | undefined;
  number: number;
  engine: Engine;
}

function factsOfPolicies({ choices = [], reranking }: Told): Fact[] {
  return policiesFacts(choices, reranking);
}

/** How events are shown: what comes before them all, for each, and at the end. */
interface Form {
  head: string[];
  event(told: Told): string[];
  foot(counts: LogCounts, events: number, ranked: number): string[];
}

function peoplesForm(values: Values): Form {
  const { width, isTerminal } = screenOf(process.stdout);
  const palette = paletteFor(isTerminal, values['no-color'] === true);
  const screen = { count: rowCount(values) ?? ROWS_USUAL, width, palette };
  return {
    head: [],
    event: (told) => eventLines(told.event, told.reranking, told.number, screen, factsOfPolicies(told)),
    foot: (...log) => logLines(...log).flatMap((line) => wrapped(line, width)),
  };
}

function formOf(values: Values, path: string): Form {
  if (values.json) {
    const event = ({ event, reranking, choices }: Told) => [JSON.stringify(eventToJson(event, reranking, choices))];
    return { head: [], event, foot: () => [] };
  }
  if (values['to-proc']) {
    const form = procForm();
    return { head: [], event: ({ engine, event, reranking }) => form.event(engine, event, reranking), foot: form.foot };
  }
  if (!values.html) return peoplesForm(values);
  const count = rowCount(values) ?? ROWS_OF_PAGE;
  return {
    head: pageHead(path === '-' ? 'standard input' : path),
    event: (told) => eventSection(told.event, told.reranking, told.number, count, factsOfPolicies(told)),
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

function checkForm(values: Values, policies: readonly string[] | undefined): void {
  const [one, other] = (['json', 'html', 'to-proc'] as const).filter((option) => values[option]);
  if (other) throw usage(`--${one} and --${other} exclude each other`);
  if (rowCount(values) !== undefined && (values.json || values['to-proc'])) {
    throw usage(`-n is for tables; --${one} always has every row`);
  }
  if (policies && values['to-proc']) {
    throw usage('--policy and --to-proc exclude each other; rank and preview --replay take a policy for the recording');
  }
}

/** Runs the command. `argv` is what follows its name. */
export async function report(argv: string[]): Promise<void> {
  const { values, positionals, repeated } = readArguments('report', argv);
  if (values.help) return writeLines(commandHelp('report'));
  checkForm(values, repeated.policy);
  const path = pathOf(positionals);
  const form = formOf(values, path);
  const policies = repeated.policy && (await askedPolicies(repeated.policy));
  const write = values['to-proc'] ? writeExactly : writeLines;
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
    const choices = policies && policyChoices(engine, event, reranking, policies);
    await write([...head, ...form.event({ event, reranking, choices, number: events, engine })]);
    head = [];
  }
  await write([...head, ...form.foot(reader.counts, events, ranked)]);
}
