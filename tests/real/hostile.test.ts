// Hostile victims of 300 MiB beside an innocent of 60 MiB: kind × {koffi, none} × {root, plain user}. Root needed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { KillReport } from '../../src/guard/kill-report.js';
import { hostileBinary } from './support/hostile-binary.js';
import { type CellResult, type CellSetup, runCell } from './support/hostile-cell.js';
import { startHostile } from './support/hostile-process.js';
import { isKillerProcess, type KillerProcess, serveKills, startKiller } from './support/killer-process.js';

const NOBODY = 65534;
const VICTIM_MIB = 300;
const INNOCENT_MIB = 60;
const STUCK_MS = 1500;
/** Some tens of milliseconds, of which a busy machine makes more. */
const SOON_MS = 15_000;
const PATIENT_MS = 60_000;

/** What the first kill must come to. `back`: the bound for the memory, milliseconds from the decision, over all rounds. */
interface Expected {
  readonly outcome: KillReport['outcome'] | 'released or gone';
  readonly reason?: string;
  readonly releasedBy?: KillReport['releasedBy'];
  readonly signals?: string;
  readonly rounds?: number;
  /** Other tasks map the same pages: they come back with the last of them, so the report may be earlier. */
  readonly othersMap?: true;
  readonly back: number | 'never';
}

type Cell = 'koffi root' | 'none root' | 'koffi plain' | 'none plain';

interface Kind {
  readonly name: string;
  readonly setup?: Partial<CellSetup>;
  readonly every?: Expected;
  readonly cells?: Partial<Record<Cell, Expected>>;
}

const RELEASED: Expected = { outcome: 'released', back: SOON_MS, rounds: 1 };
// Without kcmp nothing is known to share: the named task dies, the memory stays, and the report says that it is not proved.
const SHARER_LEFT: Expected = { outcome: 'stuck', reason: 'unverified_sharers', rounds: 2, back: SOON_MS };
const FROZEN: Expected = { ...RELEASED, releasedBy: 'mrelease' };
const FROZEN_STUCK: Expected = { outcome: 'stuck', reason: 'timeout', rounds: 1, back: 'never' };

const KINDS: readonly Kind[] = [
  { name: 'threads' },
  { name: 'zleader' },
  { name: 'sharemm', cells: { 'none root': SHARER_LEFT, 'none plain': SHARER_LEFT }, setup: { mostRounds: 3 } },
  { name: 'vfork', cells: { 'none root': SHARER_LEFT, 'none plain': SHARER_LEFT }, setup: { mostRounds: 3 } },
  // Its two children die of PR_SET_PDEATHSIG.
  { name: 'shm', every: { ...RELEASED, othersMap: true } },
  {
    name: 'stubborn',
    setup: { options: { signal: 'SIGTERM' } },
    every: { ...RELEASED, signals: 'SIGTERM SIGKILL' },
  },
  {
    name: 'slowterm',
    setup: { options: { signal: 'SIGTERM', termMs: PATIENT_MS }, argument: 2000 },
    every: { ...RELEASED, signals: 'SIGTERM' },
  },
  { name: 'slowterm', setup: { argument: 5000 } },
  {
    // The named task is gone; where it went on, the next round takes what it became.
    name: 'forker',
    setup: { mostRounds: 20 },
    every: { outcome: 'released or gone', back: SOON_MS },
  },
  // A child forked a moment before maps the same pages copy-on-write until it exits, some milliseconds later.
  { name: 'vanish', every: { ...RELEASED, othersMap: true } },
  { name: 'zombies' },
  {
    name: 'threads',
    setup: { frozen: true, argument: 20 },
    cells: { 'koffi root': FROZEN, 'koffi plain': FROZEN, 'none root': FROZEN_STUCK, 'none plain': FROZEN_STUCK },
  },
  {
    name: 'niced',
    setup: { busyLoops: 8 },
    // A plain user cannot raise the priority (EACCES), and process_mrelease answers ESRCH once the victim has begun to let go of its
    // memory at its own slow pace: only waiting is left.
    cells: { 'koffi plain': { ...RELEASED, back: PATIENT_MS }, 'none plain': { ...RELEASED, back: PATIENT_MS } },
  },
];

const label = (kind: Kind): string =>
  kind.setup?.frozen
    ? 'frozen (v1)'
    : kind.setup?.busyLoops
      ? 'niced, 8 loops'
      : `${kind.name}${kind.setup?.argument ? ` ${kind.setup.argument}` : ''}`;

const ms = (value: number | null): string => (value === null ? '-' : String(Math.round(value)));

async function oneCell(binary: string, kind: Kind, cell: Cell, killer: KillerProcess, uid: number | undefined) {
  const options = {
    signal: 'SIGKILL' as const,
    stuckMs: kind.setup?.frozen ? STUCK_MS : PATIENT_MS,
    ...kind.setup?.options,
  };
  const setup = {
    mostRounds: 1,
    watchMs: kind.setup?.frozen ? 200 : SOON_MS,
    ...kind.setup,
    binary,
    kind: kind.name,
    mib: VICTIM_MIB,
    options,
  };
  const result = await runCell(uid === undefined ? setup : { ...setup, uid }, killer.kill);
  return { result, expected: kind.cells?.[cell] ?? kind.every ?? RELEASED };
}

function check(result: CellResult, expected: Expected): void {
  const first = result.reports[0]!;
  const outcome = expected.outcome === 'released or gone' ? ['released', 'gone'] : [expected.outcome];
  assert.ok(outcome.includes(first.outcome), `${first.outcome} (${first.reason}): ${JSON.stringify(first)}`);
  if (expected.reason) assert.equal(first.reason, expected.reason);
  if (expected.releasedBy) assert.equal(first.releasedBy, expected.releasedBy);
  if (expected.signals) assert.equal(first.signals.map((one) => one.signal).join(' '), expected.signals);
  if (expected.rounds) assert.equal(result.reports.length, expected.rounds);
  if (expected.back === 'never') assert.equal(result.memoryBackMs, null);
  else
    assert.ok(
      result.memoryBackMs !== null && result.memoryBackMs <= expected.back,
      `memory back after ${result.memoryBackMs} ms`,
    );
  // The promise of one kill: a report of release comes when the memory is back, not before.
  const last = result.reports.at(-1)!;
  if (last.outcome === 'released' && !expected.othersMap)
    assert.ok(result.heldAtReportBytes < (VICTIM_MIB * 2 ** 20) / 10, `${result.heldAtReportBytes} bytes held`);
}

function row(kind: Kind, cell: Cell, result: CellResult, alive: boolean): string {
  const first = result.reports[0]!;
  const signals = first.signals
    .filter((one) => one.tgid === first.tgid)
    .map((one) => `${one.signal.slice(3)}@${ms(one.atMs)}`);
  const columns = [
    label(kind).padEnd(16),
    cell.padEnd(12),
    `${first.outcome}${first.reason ? `:${first.reason}` : ''}`.padEnd(26),
    (first.releasedBy ?? '-').padEnd(9),
    signals.join(' ').padEnd(18),
    `report ${ms(first.timings.totalMs)}`.padEnd(13),
    `memory ${ms(result.memoryBackMs)}`.padEnd(13),
    `rounds ${result.reports.length}`,
    `sharers ${first.sharers.killed.length}+${first.sharers.unverified.length}`,
    `mrelease ${first.mrelease.tries}${first.mrelease.lastError ? ` ${first.mrelease.lastError}` : ''}`.padEnd(18),
    alive ? 'innocent alive' : 'INNOCENT DEAD',
  ];
  return columns.join(' ');
}

function defineTests(): void {
  const binary = hostileBinary();
  const root = process.getuid?.() === 0;
  const skip = !root ? 'needs root' : 'skip' in binary ? binary.skip : false;
  for (const native of ['auto', 'none'] as const) {
    for (const user of ['root', 'plain'] as const) {
      const cell: Cell = `${native === 'auto' ? 'koffi' : 'none'} ${user}`;
      test(`hostile victims: ${cell}: each kind comes to its expected end and the innocent lives`, {
        skip,
        timeout: 600_000,
      }, async (t) => {
        if ('skip' in binary) return;
        const uid = user === 'plain' ? NOBODY : undefined;
        const rights = uid === undefined ? {} : { uid };
        const killer = await startKiller(fileURLToPath(import.meta.url), { native, ...rights });
        t.after(() => killer.end());
        if (native === 'auto' && killer.noNative) return t.skip(killer.noNative);
        const innocent = await startHostile({ binary: binary.path, kind: 'innocent', mib: INNOCENT_MIB, ...rights });
        t.after(() => innocent.end());
        for (const kind of KINDS) {
          await t.test(label(kind), async (t2) => {
            const { result, expected } = await oneCell(binary.path, kind, cell, killer, uid);
            if ('skip' in result) return t2.skip(result.skip);
            t2.diagnostic(row(kind, cell, result, innocent.running()));
            assert.ok(innocent.running(), 'the innocent is dead');
            check(result, expected);
          });
        }
      });
    }
  }
}

if (isKillerProcess) await serveKills();
else defineTests();
