/** Stage: report. `badness fleet what-if`, `worker` and `recordings`: what a policy would have changed on all machines, evaluated by many. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { FleetRecordings } from '../fleet/index.js';
import { choice, integer, usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';
import { withFleet } from './fleet-connection.js';
import { printable } from './names.js';
import type { Values } from './options.js';
import { say, writeLines } from './output.js';
import { Progress } from './progress.js';
import { counted, memory } from './quantities.js';
import { type Column, screenOf, tableLines } from './table.js';
import { readTextFile } from './text-file.js';
import { recordingsNamed } from './whatif.js';
import { exitOf, linesOf, policyIn } from './whatif-results.js';
import { addTo, noTotals, totalJson, totalLines } from './whatif-words.js';

const JOBS_MOST = 64;
/** Somebody who waits so long for nothing should hear why that may be. */
const NOBODY_MS = 10_000;

/** What is wrong in the file is said here, line by line, before anything is sent. */
async function policyText(path: string): Promise<string> {
  await policyIn(path);
  return readTextFile(path, 'a policy file');
}

/** Aborted by SIGINT and SIGTERM; the second one ends the process as ever. */
function untilInterrupted(): AbortController {
  const ending = new AbortController();
  const end = () => ending.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  return ending;
}

/** Runs `fleet what-if [PATTERN]`. */
export async function fleetWhatIf([pattern, extra]: readonly string[], values: Values): Promise<void> {
  if (extra !== undefined) throw usage(`fleet what-if: expected one PATTERN, got ${JSON.stringify(extra)} too`);
  if (values.policy === undefined) throw usage('fleet what-if: expected --policy FILE, the new policy');
  const policy = await policyText(values.policy);
  const against = values.against === undefined ? null : await policyText(values.against);
  const { all = false, json = false } = values;
  const { changeId, timeLeftMs } = await import('../fleet/index.js');
  const totals = noTotals();
  const bar = new Progress();
  const startMs = performance.now();
  const nobody = setTimeout(() => {
    say('no worker has done anything yet; badness fleet worker starts one');
  }, NOBODY_MS);
  const progress = (done: number, total: number) => {
    if (done > 0) clearTimeout(nobody);
    const leftMs = timeLeftMs(done, total, performance.now() - startMs);
    bar.show({ done, total, leftMs, words: counted(totals.changed, 'change') });
  };
  const { signal } = untilInterrupted();
  try {
    await withFleet(values, async (fleet) => {
      const ask = { policy, against, all, progress, signal, ...(pattern === undefined ? {} : { recordings: pattern }) };
      for await (const { recording, looked } of fleet.whatIf(ask)) {
        addTo(totals, looked);
        bar.clear();
        await writeLines(linesOf(recording, looked, { json, idOf: (snapshot) => changeId(recording, snapshot) }));
      }
    });
  } finally {
    clearTimeout(nobody);
    bar.clear();
  }
  await writeLines(json ? [totalJson(totals)] : totalLines(totals));
  process.exitCode = exitOf(totals);
}

/** Runs `fleet worker`, until it is interrupted. */
export async function fleetWorker([extra]: readonly string[], values: Values): Promise<void> {
  if (extra !== undefined) throw usage(`fleet worker: nothing may follow, got ${JSON.stringify(extra)}`);
  const jobs = values.jobs === undefined ? availableParallelism() : integer('--jobs', values.jobs, 1, JOBS_MOST);
  const { signal } = untilInterrupted();
  await withFleet(values, async (fleet) => {
    say(`takes recordings to look at, ${counted(jobs, 'thread')}; SIGINT ends it`);
    await fleet.work({
      ...{ jobs: Math.min(jobs, JOBS_MOST), signal, note: say },
      done: ({ recording }, looked) => {
        const words = looked.kind === 'bad' ? looked.words : counted(looked.result.changes.length, 'change');
        if (values.json) void writeLines([JSON.stringify({ kind: looked.kind, recording })]);
        else say(`${printable(recording)}: ${words}`);
      },
    });
  });
}

const COLUMNS: Column[] = [{ title: 'RECORDING', least: 20 }, { title: 'SIZE', right: true }, { title: 'PUT' }];

async function list(recordings: FleetRecordings, [pattern]: readonly string[], values: Values): Promise<string[]> {
  const found = await recordings.list(pattern);
  if (values.json) {
    return found.map(({ name, bytes, digest, wallMs }) => JSON.stringify({ name, bytes, digest, wall_ms: wallMs }));
  }
  const rows = found.map(({ name, bytes, wallMs }) => [
    ...[printable(name), memory(bytes), new Date(wallMs).toISOString().slice(0, 19)],
  ]);
  return tableLines(COLUMNS, rows, screenOf(process.stdout).width);
}

/** A name as a path is written, without what leads out of where one stands. */
const nameOf = (path: string) => path.replace(/^(?:\.{0,2}\/)+/, '');

async function put(recordings: FleetRecordings, operands: readonly string[]): Promise<string[]> {
  const said: string[] = [];
  for (const path of recordingsNamed(operands)) {
    try {
      const { name, bytes } = await recordings.put(nameOf(path), readFileSync(path));
      said.push(`${printable(name)}: ${memory(bytes)}`);
    } catch (error) {
      const { code, syscall, message } = error as NodeJS.ErrnoException;
      const words = syscall === undefined ? message : `expected a recording, got ${code}`;
      throw new CommandError(EXIT.unreadable, `${printable(path)}: ${words}`);
    }
  }
  return said;
}

async function remove(recordings: FleetRecordings, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) throw usage('fleet recordings remove: expected a NAME, got nothing');
  const said: string[] = [];
  for (const name of names)
    said.push(`${printable(name)}: ${(await recordings.remove(name)) ? 'removed' : 'not there'}`);
  return said;
}

const RECORDING_WORDS = { put, list, remove };

/** Runs `fleet recordings put FILE ...`, `list [PATTERN]` and `remove NAME ...`. */
export async function fleetRecordings([word, ...operands]: readonly string[], values: Values): Promise<void> {
  const action = choice(
    'fleet recordings',
    word ?? '',
    Object.keys(RECORDING_WORDS) as (keyof typeof RECORDING_WORDS)[],
  );
  await withFleet(values, async (fleet) => {
    await writeLines(await RECORDING_WORDS[action](await fleet.recordings(), operands, values));
  });
}
