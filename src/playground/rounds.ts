/**
 * Stage: none (order of work in a page). What has to be done anew, in its order: whoever wants an early step gets all that follow,
 * and wishes that come while a step is under way are done together.
 */

/** From what was brought in to what is seen of it. */
export const STEPS = ['story', 'moment', 'adjust', 'rank', 'task', 'schemes'] as const;
export type Step = (typeof STEPS)[number];

export class Rounds {
  readonly #run: (step: Step) => Promise<void>;
  readonly #fail: (error: unknown) => void;
  #next: number = STEPS.length;
  #underWay: Promise<void> | null = null;

  constructor(run: (step: Step) => Promise<void>, fail: (error: unknown) => void) {
    this.#run = run;
    this.#fail = fail;
  }

  /** Whether somebody wants a step before this one. */
  isOvertaken(step: Step): boolean {
    return this.#next <= STEPS.indexOf(step);
  }

  /** Everything from `step` on is done anew. Resolves when nothing is left to be done. */
  want(step: Step): Promise<void> {
    this.#next = Math.min(this.#next, STEPS.indexOf(step));
    this.#underWay ??= this.#work().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #work(): Promise<void> {
    // Others may still say in this turn what they want.
    await Promise.resolve();
    while (this.#next < STEPS.length) {
      const step = STEPS[this.#next++]!;
      try {
        await this.#run(step);
      } catch (error) {
        // What follows stands on it.
        this.#next = STEPS.length;
        this.#fail(error);
      }
    }
  }
}
