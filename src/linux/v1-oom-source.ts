/** Stage: watch. In: OOM signals of a v1 memory cgroup, or samples of its state. Out: a pressure source. */
import { BadnessError } from '../errors.js';
import { noWakeUps, type Pressure, type PressureSource, unreadable, type WakeUp } from '../pressure/pressure.js';
import { isV1Root } from './cgroup-place.js';
import { type Native, POLLIN } from './native.js';
import { openV1Event, type V1Event, V1OomReader } from './v1-events.js';

/** How long an OOM that the kernel settled stands as a warning, and how often the state is sampled. */
const STANDS_MS = 1000;
const SAMPLE_MS = 50;
const ARMED_MS = 1000;

/**
 * OOM of a v1 group as a pressure source: level `kill` while the group is under OOM and `oom_kill_disable` leaves the decision to user space
 * (its tasks then sleep until somebody decides). Where the kernel kills, it does so within the same moment: a kill of ours would be the
 * second, so an OOM is level `warn` for a second. Without native calls the state is sampled.
 */
export class V1OomSource implements PressureSource {
  readonly name: string;
  /** Null when the eventfd is registered; else why it is sampled. */
  readonly note: string | null;
  readonly #reader: V1OomReader;
  readonly #wakeUps: readonly WakeUp[];
  #event: V1Event | null = null;
  #signalled = false;
  #removed = false;
  #warnUntilMs = Number.NEGATIVE_INFINITY;
  #words = 'not read';

  /** `polls`: somebody waits with poll(2). @throws BadnessError `EROOTCGROUP`; errno names. */
  constructor(dir: string, native: Native | null, polls = native !== null) {
    if (isV1Root(dir)) throw new BadnessError('EROOTCGROUP', `${dir} is the root cgroup: it never signals OOM`);
    this.name = `oom_control ${dir}`;
    this.#reader = new V1OomReader(dir);
    let note: string | null = native && polls ? null : 'sampled: no native calls';
    try {
      if (native && polls) this.#event = openV1Event(native, dir, 'memory.oom_control');
    } catch (error) {
      note = `sampled: ${(error as NodeJS.ErrnoException).code}`;
    }
    this.note = note;
    const onReady = () => {
      if ((this.#event?.take() ?? 0) > 0) this.#signalled = true;
    };
    this.#wakeUps = this.#event ? [{ fd: this.#event.eventfd, events: POLLIN, path: null, onReady }] : noWakeUps();
  }

  read(nowMs: number): Pressure {
    try {
      const { meaning, state } = this.#reader.look();
      if (state === null) {
        this.#removed = true;
        return { level: 'none', error: 'ENODEV: the cgroup was removed' };
      }
      const held = state.underOom && state.oomKillDisable;
      // A signal without proof: an OOM of a group above whose victim was elsewhere, or one that has passed.
      if (meaning === 'oom' || this.#signalled) this.#warnUntilMs = nowMs + STANDS_MS;
      this.#words = held
        ? 'under OOM'
        : meaning === 'oom'
          ? 'OOM'
          : this.#signalled
            ? 'signalled, not proved'
            : 'quiet';
      this.#signalled = false;
      return { level: held ? 'kill' : nowMs < this.#warnUntilMs ? 'warn' : 'none', error: null };
    } catch (error) {
      return unreadable(error);
    }
  }

  nextDelayMs(nowMs: number): number {
    // The end of an OOM is not signalled.
    if (nowMs < this.#warnUntilMs) return SAMPLE_MS;
    return this.#event && !this.#removed ? ARMED_MS : SAMPLE_MS;
  }

  wakeUps(): readonly WakeUp[] {
    return this.#removed ? noWakeUps() : this.#wakeUps;
  }

  describe(): string {
    return `${this.name}: ${this.#removed ? 'removed' : this.#words}`;
  }

  forget(): void {
    this.#warnUntilMs = Number.NEGATIVE_INFINITY;
    this.#signalled = false;
  }

  close(): void {
    this.#event?.close();
    this.#reader.close();
  }
}
