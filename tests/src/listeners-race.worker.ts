// One of the threads of listeners-race.test.ts. Every breach of what listeners promise is counted in the account.

import { workerData } from 'node:worker_threads';
import type { BadnessError } from '../../src/errors.js';
import { Listener, listen } from '../../src/listeners.js';
import { OomSignals } from '../../src/oom-signals.js';
import { OOM_REASONS } from '../../src/oom-state.js';
import {
  Account,
  B,
  C,
  FINISHED,
  LINES,
  type ListenerRaceData,
  RECOVERED,
  STARTED,
  WEDGED_MS,
} from './support/listener-race.js';
import { pause } from './support/thread-engine.js';

const { memory, cells, role, domain, rounds } = workerData as ListenerRaceData;
const engine = { memory };
const account = new Account(cells);

function dawdle(): void {
  if (Math.random() < 0.1) pause(Math.random() * 0.2);
  else for (let spin = Math.random() * 1000; spin > 0; spin--) account.counted('done');
}

/** After a wait that did not end there is nothing more to learn. */
function isOver(flag: 'done' | 'over'): boolean {
  return account.counted(flag) > 0 || account.counted('wedged') > 0;
}

/** Waits, and counts it when the wait did not end by being woken. Says whether it did. */
function isWoken(listener: Listener): boolean {
  const start = performance.now();
  const woken = listener.wait(WEDGED_MS) && performance.now() - start < WEDGED_MS;
  if (!woken) account.count('wedged');
  return woken;
}

/** Begins and ends events, or tries to: another thread may do the same in the same domain. */
function signaler(): void {
  const signals = new OomSignals(engine, domain);
  for (let round = 1; round <= rounds; round++) {
    account.add(domain, STARTED, 1);
    if (signals.begin({ reason: OOM_REASONS[domain]!, level: 'kill' })) account.add(domain, FINISHED, 1);
    else {
      account.add(domain, STARTED, -1);
      account.count('rivals');
    }
    dawdle();
    signals.victim({ kind: 'process', id: round, startTicks: 2 * round });
    if (signals.recovered()) account.add(domain, RECOVERED, 1);
    dawdle();
  }
}

function lookAtFacts(listener: Listener): void {
  const { event } = listener;
  const { victim, reason } = event ?? {};
  if (event && reason !== OOM_REASONS[event.domain]) account.count('torn');
  if (victim && victim.startTicks !== 2 * victim.id) account.count('torn');
}

/** Hears everything from before the first event to behind the last one. */
function waiter(): void {
  const listener = listen(engine, domain);
  const name = domain === B ? 'B' : 'System';
  const read = () => {
    lookAtFacts(listener);
    const { count, recovered } = listener.read();
    account.count(`heardBy${name}`, count);
    account.count(`recoveredBy${name}`, recovered);
  };
  account.count('ready');
  // The last event comes after `done`, so that there is always one more to wait for.
  do {
    isWoken(listener);
    read();
  } while (!isOver('done'));
  while (!isOver('over')) pause(1);
  read();
}

/** Comes, hears for a while, goes: what it heard lies between what it must and what it may have heard. */
function visit(at: number): void {
  const finishedBefore = account.heard(at, FINISHED);
  const listener = listen(engine, at);
  const startedThen = account.heard(at, STARTED);
  dawdle();
  lookAtFacts(listener);
  const finishedThen = account.heard(at, FINISHED);
  listener.unregister();
  const { count } = listener.peek();
  const startedAfter = account.heard(at, STARTED);
  if (count < finishedThen - startedThen) account.count('lost');
  // One more: that of an event which was under way, or began during the call.
  if (count > startedAfter - finishedBefore + 1) account.count('extra');
  dawdle();
  if (listener.peek().count !== count) account.count('late');
  listener.close();
  account.count('registered');
}

/** Registers on a domain that is being closed: refused, or told in the end. */
function visitClosing(): void {
  const listener = new Listener(engine);
  try {
    listener.register(C);
    while (listener.gone.length === 0) {
      if (!isWoken(listener)) return;
      listener.read();
    }
    account.count('gone');
  } catch (error) {
    if ((error as BadnessError).code !== 'ENODEV') throw error;
    account.count('refused');
  } finally {
    listener.close();
  }
}

function registrar(): void {
  while (!isOver('done')) {
    if (Math.random() < 0.3) visitClosing();
    else visit(Math.floor(Math.random() * LINES.length));
  }
}

/** Waits for every signal to be heard before the next: a wake-up that is lost is not made up for by a later one. */
function pinger(): void {
  const signals = new OomSignals(engine, domain);
  while (account.counted('ready') === 0) pause(0.1);
  for (let round = 0; round < rounds && account.counted('wedged') === 0; round++) {
    account.count('pings');
    if (round % 2 === 0) signals.begin({ reason: 'caller', level: 'warn' });
    else signals.recovered();
    while (account.counted('pongs') <= round && account.counted('wedged') === 0) {
      if (Math.random() < 0.01) pause(0.01);
    }
  }
}

function ponger(): void {
  const listener = listen(engine, domain);
  account.count('ready');
  for (let round = 0; round < rounds; round++) {
    if (!isWoken(listener)) return;
    const { count, recovered } = listener.read();
    if (count !== 1 - (round % 2) || recovered !== round % 2) account.count('lost');
    account.count('pongs');
    if (Math.random() < 0.5) dawdle();
  }
}

({ signaler, waiter, registrar, pinger, ponger })[role]();
