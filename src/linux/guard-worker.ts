/**
 * Stage: all of them. The thread of a guard inside an application: watches and acts by itself, so that an application whose
 * event loop is blocked is still guarded. Asks the application's notifiers by message, and waits for them no longer than policy allows.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openEngine } from '../engine.js';
import type { Answer, ReactionContext } from '../guard/round-events.js';
import type { Phase } from '../policy/phases.js';
import { endThread } from './end-thread.js';
import type { AskedEvent, GuardWorkerData, ToApplication, ToWorker } from './guard-messages.js';
import type { LinuxGuard } from './linux-guard.js';
import { shedProgram } from './memory-lock.js';
import { loadNative } from './native.js';
import { openLinuxGuard } from './open-linux-guard.js';
import { refusalOf } from './thread-refusal.js';

const APPLICATION = 'application';

const data = workerData as GuardWorkerData;
const port = parentPort!;
const say = (message: ToApplication) => port.postMessage(message);

interface Pending {
  resolve(answer: Answer | undefined): void;
  reject(error: Error): void;
  /** Of a reaction: the powers that the application may ask for. */
  readonly context: ReactionContext | null;
}

/** Questions that the application has not answered yet. */
const pending = new Map<number, Pending>();
let asked = 0;

function ask(phase: Phase, event: AskedEvent<Phase>, context: ReactionContext | null, signal: AbortSignal) {
  return new Promise<Answer | undefined>((resolve, reject) => {
    const id = ++asked;
    pending.set(id, { resolve, reject, context });
    // Nobody waits any more: an answer that comes later finds nothing.
    signal.addEventListener('abort', () => pending.delete(id));
    say({ kind: 'ask', id, phase, event });
  });
}

/** One entry in the chain of the guard stands for all notifiers of the application. */
function registerApplication(guard: LinuxGuard, phases: readonly Phase[]): void {
  for (const chain of [guard.chain, guard.warnings]) {
    if (chain.list().some(({ name }) => name === APPLICATION)) chain.unregister(APPLICATION);
  }
  const handlers = phases.map((phase) => [
    phase,
    (event: AskedEvent<Phase> | ReactionContext, signal: AbortSignal) => {
      if (!('panic' in event)) return ask(phase, event, null, signal);
      const { kill: _kill, panic: _panic, ...facts } = event;
      return ask(phase, facts, event, signal);
    },
  ]);
  if (handlers.length > 0) guard.register({ name: APPLICATION, ...Object.fromEntries(handlers) });
}

async function act(id: number, what: 'kill' | 'panic'): Promise<void> {
  const context = pending.get(id)?.context;
  try {
    if (!context) throw new Error('the round is over');
    const result = what === 'kill' ? await context.kill() : null;
    if (what === 'panic') await context.panic();
    say({ kind: 'acted', id, act: what, result, error: null });
  } catch (error) {
    say({ kind: 'acted', id, act: what, result: null, error: (error as Error).message });
  }
}

function hear(guard: LinuxGuard, message: ToWorker): void {
  switch (message.kind) {
    case 'close':
      void guard.close().then(() => endThread(port));
      return;
    case 'allocation-failed':
      guard.openForAllocation();
      return;
    case 'report':
      guard.report(message.level);
      return;
    case 'phases':
      registerApplication(guard, message.phases);
      return;
    case 'act':
      void act(message.id, message.act);
      return;
    case 'answer': {
      const waiting = pending.get(message.id);
      pending.delete(message.id);
      if (message.error === null) waiting?.resolve(message.answer ?? undefined);
      else waiting?.reject(new Error(message.error));
    }
  }
}

async function start(): Promise<void> {
  const { policy, memory, maxTasks, thread, native, leastMs, mostMs, cookie } = data;
  const engine = await openEngine({ memory, maxTasks, thread });
  const guard = await openLinuxGuard({
    policy,
    for: 'library',
    engine,
    native,
    ...(leastMs === undefined ? {} : { leastMs }),
    ...(mostMs === undefined ? {} : { mostMs }),
    ...(cookie === undefined ? {} : { cookie }),
    tell: (event) => say({ kind: 'event', event }),
    askMain: (code) => say({ kind: 'exit', code }),
  });
  const { native: calls } = await loadNative(native ? { native } : {});
  if (calls) shedProgram(calls);
  port.on('message', (message: ToWorker) => hear(guard, message));
  say({ kind: 'started', facts: guard.facts, readings: guard.subscription.buffer, domain: guard.domain });
  try {
    await guard.run();
  } catch (error) {
    // Its descriptors are the process's, and would stay when the thread is gone.
    await guard.close();
    throw error;
  }
}

start().catch((error) => {
  say({ kind: 'refused', ...refusalOf(error) });
  endThread(port);
});
