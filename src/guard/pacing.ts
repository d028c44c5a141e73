/** Stage: gate. In: how a round ended. Out: when the next may begin while memory stays short, and whether the end is worth telling. */
import { backOffMs } from '../token.js';
import type { RoundOutcome, RoundReport } from './round-report.js';

/** A dry decision is repeated at most so often while pressure lasts. */
const DRY_MS = 60_000;
/** Freed memory shows a moment later than its release is proved. */
const SETTLE_MS = 50;
/** Others are killing: look again soon. */
const OTHERS_MS = 20;
/** A round that can do nothing: longer each time. */
const FUTILE_FIRST_MS = 1000;
const FUTILE_MOST_MS = 30_000;
/** What repeats without change is told again after so long. */
const TELL_MS = 60_000;

type Futile = Extract<RoundOutcome, 'refused' | 'no-victim' | 'left-alone'>;
const FUTILE: readonly RoundOutcome[] = ['refused', 'no-victim', 'left-alone'] satisfies Futile[];

export class Pacing {
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #dryLevel: 'term' | 'kill' | null = null;
  /** The outcome seen last, how often in a row, and when it was told. */
  #last = '';
  #times = 0;
  #toldMs = Number.NEGATIVE_INFINITY;
  #untold = 0;

  /** How long until a round may begin at this level, 0 for now. */
  waitMs(level: 'term' | 'kill', nowMs: number): number {
    // A dry round at the milder level does not stand for one at the worse.
    if (this.#dryLevel === 'term' && level === 'kill') return 0;
    return Math.max(0, this.#notBeforeMs - nowMs);
  }

  /** A round has ended. Null when it is not worth telling, else how many like it were not told. */
  ended({ outcome, reason, victim }: RoundReport, level: 'term' | 'kill', nowMs: number): number | null {
    // Whom SIGTERM would meet and whom SIGKILL would are two decisions.
    const now = `${outcome} ${reason} ${victim?.tgid} ${outcome === 'dry' ? level : ''}`;
    this.#times = now === this.#last ? this.#times + 1 : 1;
    this.#dryLevel = outcome === 'dry' ? level : null;
    this.#notBeforeMs = nowMs + this.#pauseMs(outcome);
    const isNews = now !== this.#last || outcome === 'released' || nowMs - this.#toldMs >= TELL_MS;
    this.#last = now;
    if (!isNews) {
      this.#untold += 1;
      return null;
    }
    const untold = this.#untold;
    this.#untold = 0;
    this.#toldMs = nowMs;
    return untold;
  }

  /** A round did not even end. */
  broke(nowMs: number): void {
    this.#notBeforeMs = nowMs + FUTILE_FIRST_MS;
  }

  /** Memory is not short any more: whoever found nothing to do may try at once when it is again. A dry decision keeps its pause. */
  over(): void {
    if (this.#dryLevel === null) this.#notBeforeMs = Number.NEGATIVE_INFINITY;
    this.#times = 0;
  }

  #pauseMs(outcome: RoundOutcome): number {
    if (outcome === 'dry') return DRY_MS;
    if (outcome === 'released') return SETTLE_MS;
    if (outcome === 'in-flight') return OTHERS_MS;
    if (outcome === 'busy') return Math.max(1, backOffMs(this.#times));
    if (FUTILE.includes(outcome)) return Math.min(FUTILE_FIRST_MS * 2 ** (this.#times - 1), FUTILE_MOST_MS);
    // Gone or called off: nothing was done. Stuck: it has had its time, and is set aside.
    return 0;
  }
}
