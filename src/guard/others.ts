/**
 * Stage: token. Kills by others: the kernel's own killer, another daemon, somebody at a shell. What they have killed gives
 * its memory back in a moment, so a kill of ours on top would be one too many. They hold no token of ours; what shows them is
 * the kernel's count of its victims, and tasks that are dying.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';

/** How long a victim of the kernel's is waited for when nobody is seen dying. */
const LEAST_MS = 100;
/** And whoever is seen dying, while no memory comes back: on a busy machine they wait for a processor like everybody else. */
const DYING_MS = 300;
/** And at most while memory does come back. */
const MOST_MS = 2000;
/** Less than this is what comes and goes anyway. */
const PROGRESS_BYTES = 2 ** 20;

const LEAVING = L.TASK_EXITING | L.TASK_NO_MM;
const ZOMBIE = 'Z'.charCodeAt(0);

/** Who counts the kernel's victims: a number that only grows; null where it is not told. */
export interface OomKillCounter {
  oomKills(): number | null;
}

export class Others {
  readonly #engine: Engine;
  readonly #domain: OomKillCounter;
  #oomKills: number | null = null;
  /** Since when others are waited for; NaN while nobody is. */
  #sinceMs = Number.NaN;
  #kernelUntilMs = Number.NEGATIVE_INFINITY;
  /**
   * Who is waited for: those who were dying when the wait began, and still are. Most tasks that end are small, and gone at the next
   * look; on a machine that builds something there is always another, and none of them may keep the guard from acting.
   */
  #dying: ReadonlySet<number> = new Set();
  /** When memory has come back last, and how much there was then. */
  #grewMs = 0;
  #availableBytes = 0;
  /** The wait was in vain: it does not begin again before it was seen that nobody is dying. */
  #over = false;

  constructor(engine: Engine, domain: OomKillCounter) {
    this.#engine = engine;
    this.#domain = domain;
  }

  /** Memory begins to be short: whom the kernel killed before that is history. */
  pressureBegins(): void {
    this.#oomKills = this.#domain.oomKills();
    this.#kernelUntilMs = Number.NEGATIVE_INFINITY;
    this.shortageEnds();
  }

  /** Memory is not short any more, so nobody asks: a wait that was going on is over, and did not last until it is short again. */
  shortageEnds(): void {
    this.#sinceMs = Number.NaN;
    this.#over = false;
  }

  /** True when a kill by others is in flight. Asked of the snapshot just scored, while memory is short; it waits only so long. */
  areKilling(availableBytes: number, nowMs: number): boolean {
    const kills = this.#domain.oomKills();
    const byKernel = this.#oomKills !== null && kills !== null && kills > this.#oomKills;
    this.#oomKills = kills;
    if (byKernel) this.#kernelUntilMs = nowMs + LEAST_MS;
    const begins = byKernel || Number.isNaN(this.#sinceMs);
    this.#dying = new Set(this.#dyingTasks().filter((tgid) => begins || this.#dying.has(tgid)));
    if (this.#dying.size === 0 && nowMs >= this.#kernelUntilMs) {
      this.shortageEnds();
      return false;
    }
    if (this.#over && !byKernel) return false;
    if (begins) this.#sinceMs = nowMs;
    if (begins || availableBytes >= this.#availableBytes + PROGRESS_BYTES) {
      this.#grewMs = nowMs;
      this.#availableBytes = availableBytes;
    }
    this.#over = nowMs - this.#grewMs >= DYING_MS || nowMs - this.#sinceMs >= MOST_MS;
    return !this.#over;
  }

  /**
   * Tasks that are leaving, or have no memory of their own any more, and have not ended: what they held is being given back. (One may
   * begin to leave between two files that are read of it: then it has no memory, and is not marked as leaving.)
   */
  #dyingTasks(): number[] {
    const engine = this.#engine;
    const dying: number[] = [];
    for (let slot = 0; slot < engine.count; ++slot) {
      const flags = engine.u32(L.C_FLAGS, slot);
      if ((flags & LEAVING) === 0 || (flags & (L.TASK_KTHREAD | L.TASK_BOUND | L.TASK_MEMDIE)) !== 0) continue;
      const state = engine.u32(L.C_STATE, slot);
      const ended = state === ZOMBIE && engine.u32(L.C_THREADS, slot) <= 1;
      // Without a state it could not be read: gone, or hidden from us.
      if (state !== 0 && !ended) dying.push(engine.u32(L.C_ID, slot));
    }
    return dying;
  }
}
