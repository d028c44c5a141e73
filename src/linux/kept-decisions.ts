/** Stage: selection → report. The last decisions of a guard of this machine, and one of them as a recording. */
import { release } from 'node:os';
import { BadnessError } from '../errors.js';
import { DecisionRing, type DecisionRingOptions, type KeptDecision } from '../guard/decision-ring.js';
import { type GuardEvent, guardEventToJson } from '../guard/guard-events.js';
import type { Choice } from '../guard/world.js';
import type { Policy } from '../policy/policy.js';
import type { LookedAt } from '../proc/rule-texts.js';
import { type DecidedBy, decisionRecording } from '../recording/decision-recording.js';
import type { GuardParts } from './guard-parts.js';

/** A decision with all that a recording of it is made of (decisionRecording). Can be posted to a thread. */
export interface WholeDecision {
  readonly decision: KeptDecision;
  /** What came of it, as JSON; null when that is not known. */
  readonly report: string | null;
  readonly by: DecidedBy;
}

const NOTHING: ReadonlyMap<string, LookedAt> = new Map();

/** The last decisions of a guard, kept whole, and each as a recording (docs/recordings.md). */
export class KeptDecisions {
  readonly #parts: GuardParts;
  readonly #ring: DecisionRing;
  /** Each by its own: another policy may come into force. */
  readonly #policies = new WeakMap<KeptDecision, { policy: Policy; users: ReadonlyMap<string, number> }>();

  constructor(parts: GuardParts, options?: DecisionRingOptions) {
    this.#parts = parts;
    this.#ring = new DecisionRing(options);
  }

  /** Nothing is read for it: the rows are here, and the memory that asked for the round. */
  keep({ options }: Choice, id: number, policy: Policy): void {
    const { engine, world, source, looking } = this.#parts;
    const decision = this.#ring.keep(engine, {
      ...{ id, monotonicMs: world.nowMs(), wallMs: Date.now(), options, memory: source.memory.state },
      looked: looking.texts?.looked ?? NOTHING,
    });
    if (decision) this.#policies.set(decision, { policy, users: looking.users });
  }

  /** Before memory is short is the time to make room. */
  hear(event: GuardEvent): void {
    if (event.kind === 'level' && event.level === 'warn') this.prepare();
    if (event.kind === 'round' && event.report.decision !== null) {
      this.#ring.addReport(event.report.decision, JSON.stringify(guardEventToJson(event)));
    }
  }

  /** Makes the buffer of the next one ready. */
  prepare(): void {
    this.#ring.prepare(this.#parts.engine);
  }

  /** The decision of that number, which stays as it is only until the next round; null when it is not kept any more. */
  whole(id: number, madeBy: string | null = null): WholeDecision | null {
    const found = this.#ring.find(id);
    const by = found && this.#policies.get(found.decision);
    if (!by) return null;
    return { ...found, by: { ...by, domain: this.#parts.world.name, madeBy, kernel: release() } };
  }

  /**
   * A decision as a recording that replays to it (docs/recordings.md). Rejects with BadnessError `ENODATA` when it is not kept any more.
   */
  async recording(id: number, madeBy: string | null = null): Promise<string> {
    const whole = this.whole(id, madeBy);
    if (!whole) throw new BadnessError('ENODATA', `decision ${id} is not kept: the last ${this.#ring.count} are`);
    return decisionRecording(whole.decision, whole.report, whole.by);
  }
}
