// One of the threads of token-race.test.ts. It plays rounds and keeps its own account of who holds what, in cells that the
// engine knows nothing of; every breach of the invariant is counted there.

import { parentPort, workerData } from 'node:worker_threads';
import { backOffMs, KillToken, type TokenAbi } from '../../src/token.js';
import { windowAt } from './support/builds.js';
import {
  CELLS_PER_DOMAIN,
  CLOCK,
  COUNTERS,
  type Counter,
  HOLDERS,
  KILLS,
  type RaceData,
} from './support/race-account.js';
import { abiOver, pause } from './support/thread-engine.js';

const FAR_MS = 1e12;
const WEDGED_MS = 20_000;
const MS = 1e-6;

const { memory, thread, rounds, parents, cells } = workerData as RaceData;
const account = new Int32Array(cells);
const abi = abiOver(memory) as unknown as TokenAbi;
const tokens = parents.map((_, domain) => new KillToken({ abi, memory, window: windowAt(thread) }, domain));
/** Operations that this thread died with, as far as the others can tell. */
const dead: { domain: number; operation: number }[] = [];

const nowMs = () => Number(process.hrtime.bigint()) * MS;
const chance = (part: number) => Math.random() < part;
const isAbove = (above: number, domain: number): boolean =>
  domain >= 0 && (domain === above || isAbove(above, parents[domain]!));
const onLine = (a: number, b: number) => isAbove(a, b) || isAbove(b, a);
const at = (domain: number, cell: number) => domain * CELLS_PER_DOMAIN + cell;

function count(counter: Counter): void {
  Atomics.add(account, parents.length * CELLS_PER_DOMAIN + COUNTERS.indexOf(counter), 1);
}

function expect(right: boolean, breach: Counter): void {
  if (!right) count(breach);
}

/** Enters a domain in the account and looks for others on its line. */
function enter(domain: number, cell: number, breach: Counter): void {
  expect(Atomics.add(account, at(domain, cell), 1) === 0, breach);
  alone(domain, cell, breach);
}

function alone(domain: number, cell: number, breach: Counter): void {
  parents.forEach((_, other) => {
    if (other === domain || Atomics.load(account, at(other, cell)) === 0) return;
    if (onLine(other, domain)) count(breach);
    else if (cell === HOLDERS) count('siblings');
  });
}

function leave(domain: number, cell: number): void {
  Atomics.sub(account, at(domain, cell), 1);
}

function dawdle(): void {
  if (chance(0.1)) pause(Math.random() * 0.2);
  else for (let spin = Math.random() * 2000; spin > 0; spin--) Atomics.load(account, 0);
}

/** Ends what this thread holds in earnest. */
function end(domain: number, operation: number, how: 'finish' | 'cancel'): void {
  dawdle();
  if (how === 'finish') leave(domain, KILLS);
  leave(domain, HOLDERS);
  expect(tokens[domain]![how](operation), 'lost');
  count(how === 'finish' ? 'kills' : 'cancels');
}

/** What is done with a token that was taken: nothing, a kill, or a kill in the middle of which this thread dies. */
function use(domain: number, operation: number): void {
  const token = tokens[domain]!;
  enter(domain, HOLDERS, 'twoHolders');
  if (token.holder?.victim) {
    // Taken over from one that died: its kill is in flight still, and in the account.
    count('inherited');
    alone(domain, KILLS, 'twoKills');
    end(domain, operation, 'finish');
    return;
  }
  dawdle();
  if (chance(0.3)) {
    end(domain, operation, 'cancel');
    return;
  }
  const dies = chance(0.25);
  const clock = Atomics.load(account, at(domain, CLOCK));
  const named = token.nameVictim(operation, { id: operation, startTicks: thread }, dies ? clock + 1 : FAR_MS);
  expect(named, 'lost');
  enter(domain, KILLS, 'twoKills');
  if (!dies) {
    end(domain, operation, 'finish');
    return;
  }
  dawdle();
  leave(domain, HOLDERS);
  dead.push({ domain, operation });
  // The time has come, so others may take over; the kill stays in the account.
  Atomics.add(account, at(domain, CLOCK), 1);
}

/** Takes the token with a deadline that passes at once, and races those who take over. */
function useLate(domain: number, operation: number): void {
  Atomics.add(account, at(domain, CLOCK), 1);
  dawdle();
  const token = tokens[domain]!;
  if (chance(0.3)) {
    count(token.cancel(operation) ? 'cancels' : 'lateLost');
  } else if (token.nameVictim(operation, { id: operation, startTicks: thread }, FAR_MS)) {
    enter(domain, HOLDERS, 'twoHolders');
    enter(domain, KILLS, 'twoKills');
    end(domain, operation, 'finish');
  } else {
    count('lateLost');
  }
}

function takeOver(domain: number): boolean {
  const operation = tokens[domain]!.takeOver(Atomics.load(account, at(domain, CLOCK)), FAR_MS);
  if (operation === undefined) return false;
  count('takenOver');
  use(domain, operation);
  return true;
}

/** A dead thread that wakes up: what it does with its operation, after somebody took over, is refused. */
function haunt(): void {
  const { domain, operation } = dead[Math.floor(Math.random() * dead.length)]!;
  const token = tokens[domain]!;
  if (token.holder?.operation === operation) return;
  expect(!token.finish(operation), 'staleAccepted');
  expect(!token.cancel(operation), 'staleAccepted');
  expect(!token.nameVictim(operation, { id: 1, startTicks: 1 }, FAR_MS), 'staleAccepted');
  count('staleRefused');
}

function round(): void {
  // Ancestors less often: they shut everybody out.
  const domain = chance(0.8) ? 1 + Math.floor(Math.random() * (parents.length - 1)) : 0;
  const started = nowMs();
  for (let attempt = 0; ; attempt++) {
    const late = chance(0.1);
    const clock = Atomics.load(account, at(domain, CLOCK));
    const operation = tokens[domain]!.acquire(late ? clock + 1 : FAR_MS);
    if (operation !== undefined) {
      (late ? useLate : use)(domain, operation);
      return;
    }
    count('busy');
    // Whatever blocks may be dead.
    const blocker = tokens[domain]!.blocker;
    if (blocker !== undefined && takeOver(blocker) && blocker === domain) return;
    if (dead.length > 0) haunt();
    if (nowMs() - started > WEDGED_MS) {
      count('wedged');
      return;
    }
    pause(backOffMs(Math.min(attempt, 4)) / 16);
  }
}

for (let done = 0; done < rounds; done++) {
  round();
  count('rounds');
}
parentPort?.postMessage('done');
