/** Stage: watch. Pressure stall averages of a recording against the levels of a policy. */
import { noWakeUps, type Pressure, type PressureSource, unreadable, type WakeUp } from '../pressure/pressure.js';
import { type Psi, parsePsi, type StallLevels, stallLevel, stallOf } from '../proc/psi.js';
import type { RecordedFiles } from './recorded-files.js';

const EVERY_MS = 1000;

/** Triggers are not replayed: the kernel alone knows when they would have fired. */
export class RecordedStalls implements PressureSource {
  readonly name = 'psi';
  readonly #files: RecordedFiles;
  readonly #levels: StallLevels;
  #last: Psi | null = null;

  constructor(files: RecordedFiles, levels: StallLevels) {
    this.#files = files;
    this.#levels = levels;
  }

  /** That of the domain, where it was recorded; else that of the machine. */
  #text(): string {
    const { domain } = this.#files.recording.facts;
    const own = domain.kind === 'memcg' ? `${domain.dir}/memory.pressure` : '';
    return this.#files.text(this.#files.entries.has(own) ? own : '/proc/pressure/memory');
  }

  read(): Pressure {
    try {
      this.#last = parsePsi(this.#text());
    } catch (error) {
      this.#last = null;
      return unreadable(error);
    }
    if (this.#last === null) return { level: 'none', error: 'psi: what was recorded cannot be read' };
    return { level: stallLevel(this.#last, this.#levels), error: null };
  }

  nextDelayMs(): number {
    return EVERY_MS;
  }

  wakeUps(): readonly WakeUp[] {
    return noWakeUps();
  }

  describe(): string {
    return this.#last ? `psi: ${stallOf(this.#last, this.#levels).toFixed(2)} %` : 'psi not read';
  }

  forget(): void {}

  close(): void {}
}
