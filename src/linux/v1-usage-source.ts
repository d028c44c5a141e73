/** Stage: watch. In: usage thresholds of a v1 memory cgroup. Out: a source that never speaks, but wakes whoever reads the memory. */

import { NO_PRESSURE, type PressureSource, type WakeUp } from '../pressure/pressure.js';
import { type Native, POLLIN } from './native.js';
import { openV1Event, type V1Event } from './v1-events.js';

/**
 * Wakes when the usage of a group crosses so many bytes, upwards or downwards, 0.2–0.7 ms later. Usage holds page cache, which
 * can be given back, so a crossing says: look. A group whose limit is changed later keeps the thresholds that it began with.
 */
export class V1UsageSource implements PressureSource {
  readonly name: string;
  readonly #events: readonly V1Event[];
  readonly #wakeUps: readonly WakeUp[];

  /** @throws errno names: EINVAL, ENODEV, EACCES. */
  constructor(dir: string, native: Native, usageBytes: readonly number[]) {
    this.name = `usage of ${dir}`;
    const events: V1Event[] = [];
    try {
      for (const bytes of usageBytes) {
        events.push(openV1Event(native, dir, 'memory.usage_in_bytes', String(Math.max(0, Math.floor(bytes)))));
      }
    } catch (error) {
      for (const event of events) event.close();
      throw error;
    }
    this.#events = events;
    this.#wakeUps = events.map((event) => ({
      fd: event.eventfd,
      events: POLLIN,
      path: null,
      onReady: () => void event.take(),
    }));
  }

  read() {
    return NO_PRESSURE;
  }

  nextDelayMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  wakeUps(): readonly WakeUp[] {
    return this.#wakeUps;
  }

  describe(): string {
    return `${this.name}: ${this.#events.length} thresholds`;
  }

  forget(): void {}

  close(): void {
    for (const event of this.#events) event.close();
  }
}
