// A registered task of 1,000 bytes that is asked for 400, on a fake clock.
import assert from 'node:assert/strict';
import { TaskRegistry } from '../../../src/registered/registry.js';
import { ShedRun } from '../../../src/registered/shed-run.js';
import type { ShedAsk, TaskSpec } from '../../../src/registered/task-spec.js';
import { ManualClock } from './manual-clock.js';

export const HELD = 1000;
export const NEEDED = 400;
export const never = new Promise<never>(() => {});

/** A task of 1,000 bytes that is asked for 400; SIGTERM for 3 s, then SIGKILL for 10 s. */
export class Scene {
  readonly clock = new ManualClock();
  readonly registry = new TaskRegistry({ clock: this.clock });
  readonly asked: (ShedAsk & { atMs: number })[] = [];
  readonly signals: AbortSignal[] = [];
  readonly abort = new AbortController();
  readonly hurry = new AbortController();
  bytes = HELD;
  readonly task;

  constructor(shed: (ask: ShedAsk, scene: Scene) => unknown, more: Partial<TaskSpec> = {}) {
    this.task = this.registry.register({
      name: 'a cache with a long name',
      memory: () => this.bytes,
      shed: (ask, signal) => {
        this.asked.push({ ...ask, atMs: this.nowMs });
        this.signals.push(signal);
        return shed(ask, this) as never;
      },
      ...more,
    });
  }

  get nowMs(): number {
    return this.clock.now() - 1000;
  }

  run({
    signal = 'SIGTERM',
    neededBytes = NEEDED,
    termMs = 3000,
  }: {
    signal?: 'SIGTERM' | 'SIGKILL';
    neededBytes?: number;
    termMs?: number;
  } = {}) {
    const { abort, hurry } = this;
    const ask = { signal, termMs, rawioMs: 200, stuckMs: 10_000, abort: abort.signal, hurry: hurry.signal };
    return new ShedRun({ task: this.task, ask, neededBytes, clock: this.clock }).run();
  }

  /** The report once so much time has passed, which must be enough. */
  async reportAfter(ms: number, options: Parameters<Scene['run']>[0] = {}) {
    const running = this.run(options);
    await this.clock.advance(ms);
    assert.equal(this.clock.pending, 0, 'it has ended');
    return running;
  }
}

export const ending = ({ outcome, reason, releasedBy }: Awaited<ReturnType<Scene['run']>>) => [
  outcome,
  reason,
  releasedBy,
];
export const steps = ({ escalations }: Awaited<ReturnType<Scene['run']>>) =>
  escalations.map(({ step, atMs }) => [step, atMs]);
