/** Stage: report. Which readings of memory are worth telling a fleet: a machine where nothing happens says so once a minute. */
import type { MemoryNews } from '../guard/index.js';

/** While its level changes, it is told at most so often. */
const LEAST_MS = 1000;
/** And so often although it is the same. */
const SAME_MS = 60_000;
/** Of all memory: less is no news. */
const SHARE = 0.01;

export class PressureNews {
  #told: MemoryNews | null = null;
  #toldMs = Number.NEGATIVE_INFINITY;

  /** Whether to tell this one, now; then it counts as told. */
  isNews(news: MemoryNews, nowMs: number): boolean {
    const agoMs = nowMs - this.#toldMs;
    if (agoMs < LEAST_MS || (agoMs < SAME_MS && this.#told !== null && isSame(news, this.#told))) return false;
    this.#told = news;
    this.#toldMs = nowMs;
    return true;
  }
}

function isSame(a: MemoryNews, b: MemoryNews): boolean {
  const far = Math.abs(a.availableKib - b.availableKib) + Math.abs(a.swapFreeKib - b.swapFreeKib);
  return a.level === b.level && far < SHARE * (a.totalKib + a.swapTotalKib);
}
