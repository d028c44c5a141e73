/** Stage: watch → gate. In: what the application itself says. Out: pressure sources: failed allocations, and the caller's own function. */
import { PRESSURE_LEVELS, type PressureLevel } from './memory-state.js';
import { NO_PRESSURE, noWakeUps, type Pressure, type PressureSource, unreadable } from './pressure.js';

/** The rate gate of Linux 2.6.10, or another: asked once a failed allocation, true when it is time to kill. */
export interface AllocationGate {
  /** An allocation failed: counted by the gate. True when it lets the caller through. */
  failed(nowMs: number): boolean;
  /** The round that it let through at `thenMs` is over, or was called off. */
  done?(thenMs: number): void;
}

/** Failed allocations as a pressure source. */
export interface AllocationFailures {
  readonly source: PressureSource;
  /** Reports one. True when the gate let it through: level `kill` stands until the source is told to forget. */
  allocationFailed(nowMs: number): boolean;
  /** Another thread reported one, and the gate let it through there. */
  letThrough(nowMs: number): void;
}

/**
 * For callers who report failed allocations, as the kernel's page allocator calls out_of_memory(). `onOpen` is called when the gate opens,
 * to wake whoever sleeps.
 */
export function allocationFailures(gate: AllocationGate, onOpen: () => void = () => {}): AllocationFailures {
  let openedMs = Number.NaN;
  let failures = 0;
  const letThrough = (nowMs: number) => {
    openedMs = nowMs;
    onOpen();
  };
  return {
    letThrough,
    allocationFailed(nowMs) {
      failures++;
      if (!gate.failed(nowMs)) return false;
      letThrough(nowMs);
      return true;
    },
    source: {
      name: 'failed allocations',
      // It stands until a round was carried out for it: a round looks again before it kills.
      read: () => ({ level: Number.isNaN(openedMs) ? 'none' : 'kill', error: null }),
      nextDelayMs: () => Number.POSITIVE_INFINITY,
      wakeUps: noWakeUps,
      describe: () => (failures === 0 ? '' : `${failures} failed allocations reported`),
      forget() {
        if (!Number.isNaN(openedMs)) gate.done?.(openedMs);
        openedMs = Number.NaN;
      },
      close() {},
    },
  };
}

/** A source of pressure of the caller's own: a name, and a function that tells the level. */
export interface CallerSourceOptions {
  readonly name: string;
  /** The level now. What it throws, and what is no level, counts as unreadable. */
  read(nowMs: number): PressureLevel;
  /** How often it is asked, in milliseconds, 1 … 600,000. Default 1,000. */
  readonly everyMs?: number;
  /** What it tells now, in words of one line. */
  describe?(): string;
  /** Called once, when nobody asks any more. */
  close?(): void;
}

/** The caller's own source. @throws RangeError. */
export function callerSource(options: CallerSourceOptions): PressureSource {
  const everyMs = options.everyMs ?? 1000;
  if (!(everyMs >= 1 && everyMs <= 600_000)) throw new RangeError(`everyMs must be 1..600000, got ${everyMs}`);
  let last: Pressure = NO_PRESSURE;
  return {
    name: options.name,
    read(nowMs) {
      try {
        const level = options.read(nowMs);
        last = PRESSURE_LEVELS.includes(level)
          ? { level, error: null }
          : { level: 'none', error: `EBADMSG: ${options.name} answered ${String(level)}` };
      } catch (error) {
        last = unreadable(error);
      }
      return last;
    },
    nextDelayMs: () => everyMs,
    wakeUps: noWakeUps,
    describe: () => options.describe?.() ?? `${options.name}: ${last.error ?? last.level}`,
    forget() {},
    close: () => options.close?.(),
  };
}

/** A level that the program itself says, as a pressure source. */
export interface ReportedLevel {
  readonly source: PressureSource;
  /** Stands until another is said. @throws RangeError for what is no level. */
  report(level: PressureLevel): void;
}

/** For programs that know better than their memory does: a queue that has grown too long, a quota of their own. `onReport` wakes whoever sleeps. */
export function reportedLevel(onReport: () => void = () => {}): ReportedLevel {
  let said: Pressure = NO_PRESSURE;
  return {
    report(level) {
      if (!PRESSURE_LEVELS.includes(level)) {
        throw new RangeError(`level must be one of ${PRESSURE_LEVELS.join(', ')}, got ${JSON.stringify(level)}`);
      }
      said = { level, error: null };
      onReport();
    },
    source: {
      name: 'the program',
      read: () => said,
      nextDelayMs: () => Number.POSITIVE_INFINITY,
      wakeUps: noWakeUps,
      describe: () => (said.level === 'none' ? '' : `the program says ${said.level}`),
      forget() {},
      close() {},
    },
  };
}
