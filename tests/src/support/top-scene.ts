// What `badness top` shows in tests: an evening on somebody's desktop, a guard that answers from a script, and a screen to draw on.
import { readFileSync } from 'node:fs';
import type { Asks } from '../../../src/cli/top-guard.js';
import type { Meters } from '../../../src/cli/top-meters.js';
import type { TopView } from '../../../src/cli/top-view.js';
import { spelledOut, victimWords } from '../../../src/cli/words.js';
import { BadnessError } from '../../../src/errors.js';
import { explainTask } from '../../../src/explain.js';
import { loadTasks, openEngine, parseTaskLines, type RankedTask, rankTasks } from '../../../src/index.js';

export const METERS: Meters = {
  memory: {
    totalKib: 16_000_000,
    availableKib: 5_200_000,
    basisKib: 15_300_000,
    swapTotalKib: 4_000_000,
    swapFreeKib: 900_000,
  },
  pressure: {
    some: { avg10: 12.34, avg60: 3.5, avg300: 0.7, totalUs: 1 },
    full: { avg10: 4.01, avg60: 0.9, avg300: 0.02, totalUs: 1 },
  },
};

/** The ranking of examples/evening.ndjson, and nobody to ask. */
export async function evening(more: Partial<TopView> = {}): Promise<TopView> {
  const { tasks, machine } = parseTaskLines(readFileSync('examples/evening.ndjson', 'utf8'));
  const engine = await openEngine({ maxTasks: 64 });
  loadTasks(engine, tasks, machine);
  const options = { scheme: 'badness', totalPages: machine.totalPages } as const;
  const { ranked, victim } = rankTasks(engine, options);
  const terms = explainTask(engine, victim!.slot, options);
  return {
    choices: { scheme: 'badness', sort: 'points', selected: null, panel: 'tasks', paused: false },
    ...{ clock: '19:03:12', machine, tasks: tasks.length, meters: METERS, rows: ranked, cut: false, at: 0 },
    victim: victim!.tgid,
    victimWords: victimWords(victim!, terms, spelledOut(options), machine),
    guard: { words: 'no guard listens at /run/badness/control.sock', decisions: null },
    ...{ explanation: [], message: null, userName: (uid: number) => (uid === 110 ? 'postgres' : String(uid)) },
    ...more,
  };
}

/** A task with whatever name, as if it were shown. */
export function renamed(task: RankedTask, comm: string): RankedTask {
  return { ...task, comm };
}

const STATE = {
  ...{
    schema: 1,
    version: '0.1.0',
    pid: 640,
    domain: 'system',
    level: 'warn',
    words: 'much',
    queued: 0,
    queue_stale: false,
  },
  counters: { readings: 900, rounds: 2, released: 1, freed_bytes: 4096, others: 1 },
  ...{ gate: { kind: 'level' }, token: null, protected: 1, facts: { enforce: true, scheme: 'badness' } },
};

function decision(time: string, outcome: string, pid: number, comm: string, freedBytes: number | null): string {
  const victim = { tgid: pid, comm, points: 704_331 };
  const report = { outcome, reason: null, chosen_by: 'scheme', victim, freed_bytes: freedBytes, total_ms: 41.2 };
  return JSON.stringify({ kind: 'round', time, level: 'term', report, repeated: 0 });
}

/** A guard's answers by resource; what is not among them is refused. */
export function scripted(more: Readonly<Record<string, string>> = {}): { asks: Asks; asked: string[] } {
  const answers: Record<string, string> = {
    '/state': JSON.stringify(STATE),
    '/oom_kill_protection/status':
      'OOM protected processes:\nPID        NAME            \n---        ----            \n3100       gnome-shell     \n',
    '/decisions?last=3': `${[
      decision('2026-11-20T18:41:07.113Z', 'released', 3977, 'leaky-tool', 2_900_000_000),
      decision('2026-11-20T18:58:30.020Z', 'gone', 811, 'odd\u001b[2Jname', null),
    ].join('\n')}\n`,
    ...more,
  };
  const asked: string[] = [];
  const asks: Asks = async ({ method = 'GET', resource, body = '' }) => {
    asked.push(`${method} ${resource}${body === '' ? '' : ` ${body}`}`);
    const answer = answers[resource];
    if (answer === undefined) throw new BadnessError('ENOENT', 'no guard listens at /run/badness/control.sock');
    return answer;
  };
  return { asks, asked };
}

const ESCAPE = String.fromCharCode(27);
const PIECES = new RegExp(`${ESCAPE}\\[(\\??[0-9;]*)([A-Za-z])|[^${ESCAPE}]|${ESCAPE}`, 'gu');

/** What a terminal shows: as much of one as top makes use of. Throws at a sequence that it does not know. */
export class PaperScreen {
  /** Modes by number, as they were set last. */
  readonly modes = new Map<string, boolean>();
  #cells: string[][] = [];
  #row = 0;
  #column = 0;
  readonly #columns: number;

  constructor(columns: number) {
    this.#columns = columns;
  }

  get lines(): string[] {
    return Array.from(this.#cells, (row) =>
      Array.from(row ?? [], (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
  }

  feed(bytes: string): this {
    for (const [piece, parameters, letter] of bytes.matchAll(PIECES)) {
      if (letter !== undefined) this.#control(parameters!, letter);
      else this.#put(piece);
    }
    return this;
  }

  #control(parameters: string, letter: string): void {
    if (letter === 'm') return;
    if (letter === 'H')
      [this.#row, this.#column] =
        parameters === '' ? [0, 0] : (parameters.split(';').map((n) => Number(n) - 1) as [number, number]);
    else if (`${parameters}${letter}` === '2J') this.#cells = [];
    else if (`${parameters}${letter}` === '2K') this.#cells[this.#row] = [];
    else if ((letter === 'h' || letter === 'l') && parameters.startsWith('?'))
      this.modes.set(parameters.slice(1), letter === 'h');
    else throw new Error(`unknown sequence: CSI ${parameters}${letter}`);
  }

  #put(character: string): void {
    if (character < ' ' || character === '\x7f') throw new Error(`control character ${JSON.stringify(character)}`);
    // Without wrapping the last column is written over and over.
    const column = Math.min(this.#column, this.#columns - 1);
    this.#cells[this.#row] ??= [];
    this.#cells[this.#row]![column] = character;
    this.#column = column + 1;
  }
}
