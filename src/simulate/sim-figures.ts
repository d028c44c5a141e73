/** Stage: report, of a simulation: what a run cost, measured on the machine itself, so that guards of any thresholds compare. */
import { defineThresholds } from '../policy/levels.js';
import { levelOf, type PressureLevel } from '../pressure/memory-state.js';
import type { Machine } from './machine.js';
import { cpuMs, type KilledBy, type SimTask } from './sim-task.js';

/** One task that was killed. */
export interface SimKill {
  readonly atMs: number;
  /** `parent`: it ends with its parent, which was killed or had ended. */
  readonly by: KilledBy;
  readonly tgid: number;
  readonly comm: string;
  readonly bytes: number;
  readonly culprit: boolean;
  /** CPU time that it had spent. */
  readonly lostCpuMs: number;
  /** From memory being short to the signal; 0 where it was not. */
  readonly afterMs: number;
}

/** Memory at one moment, bytes. */
export interface SimSample {
  readonly atMs: number;
  readonly availableBytes: number;
  readonly swapUsedBytes: number;
  readonly level: PressureLevel;
}

/** What a run comes to. Times in virtual milliseconds. */
export interface SimFigures {
  readonly kills: readonly SimKill[];
  readonly culpritsKilled: number;
  readonly innocentsKilled: number;
  readonly kernelKills: number;
  /** Time in which memory and swap were as short as a default policy allows before it asks somebody to go. */
  readonly pressureMs: number;
  /** Time in which memory was used up, so that everybody waited for it. */
  readonly stalledMs: number;
  /** The longest time from memory being short to its not being short any more. */
  readonly reliefMs: number;
  /** It was short when the scenario ended. */
  readonly endsShort: boolean;
  /** CPU time of all that were killed: work thrown away. */
  readonly lostCpuMs: number;
  /** Tasks that came to the end of their work. */
  readonly finished: number;
}

const YARDSTICK = defineThresholds();

/** Listens to a machine. */
export class SimMeter {
  readonly #machine: Machine;
  readonly #kills: SimKill[] = [];
  #pressureMs = 0;
  #stalledMs = 0;
  #reliefMs = 0;
  #shortSinceMs = Number.NaN;

  constructor(machine: Machine) {
    this.#machine = machine;
    machine.onKill = (task, by) => this.#kills.push(killOf(task, by, machine.nowMs, this.#shortForMs()));
  }

  /** A step of so long has been made. */
  stepped(ms: number): void {
    const { memory, nowMs } = this.#machine;
    const level = levelOf(memory.state(), YARDSTICK);
    if (memory.isStalled) this.#stalledMs += ms;
    if (level !== 'term' && level !== 'kill') {
      this.#shortSinceMs = Number.NaN;
      return;
    }
    if (Number.isNaN(this.#shortSinceMs)) this.#shortSinceMs = nowMs;
    this.#pressureMs += ms;
    this.#reliefMs = Math.max(this.#reliefMs, this.#shortForMs());
  }

  #shortForMs(): number {
    return Number.isNaN(this.#shortSinceMs) ? 0 : this.#machine.nowMs - this.#shortSinceMs;
  }

  figures(): SimFigures {
    const kills = [...this.#kills];
    const innocentsKilled = kills.filter(({ culprit }) => !culprit).length;
    return {
      kills,
      culpritsKilled: kills.length - innocentsKilled,
      innocentsKilled,
      kernelKills: kills.filter(({ by }) => by === 'kernel').length,
      pressureMs: this.#pressureMs,
      stalledMs: this.#stalledMs,
      reliefMs: this.#reliefMs,
      endsShort: !Number.isNaN(this.#shortSinceMs),
      lostCpuMs: kills.reduce((sum, { lostCpuMs }) => sum + lostCpuMs, 0),
      finished: this.#machine.finished,
    };
  }
}

function killOf(task: SimTask, by: KilledBy, atMs: number, afterMs: number): SimKill {
  const { tgid, cast, bytes } = task;
  const lostCpuMs = Math.round(cpuMs(task));
  return { atMs, by, tgid, comm: cast.comm, bytes, culprit: cast.culprit, lostCpuMs, afterMs };
}
