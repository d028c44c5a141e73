/** Stage: none (threads). What a page may ask of its desk, and what it is answered: plain data, for it may cross threads. */
import type { Scoring } from '../cli/words.js';
import type { Engine, SchemeName, Terms } from '../index.js';
import type { RankedColumns, RuleHit } from '../policy/index.js';
import type { PolicyVerdict } from './policy-desk.js';
import type { Adjustments, Moment, Outcome, Source, StoryHead } from './story.js';

/** A ranking as it crosses threads. */
export interface Ranked extends Pick<RankedColumns, 'outcome' | 'victim' | 'reasons' | 'classes'> {
  readonly order: Uint32Array;
  readonly points: Float64Array;
  readonly chargePages: Float64Array;
  /** Time that the engine took, and what it is. */
  readonly tookMs: number;
  readonly build: Engine['build'];
}

/** Whom one scheme would take. */
export interface Choice {
  readonly scheme: SchemeName;
  readonly outcome: Outcome;
  readonly slot: number;
}

export interface Explained {
  readonly terms: Terms;
  readonly hits: readonly RuleHit[];
}

/** What a page may ask; every answer can be posted to another thread. */
export interface DeskCalls {
  /** Reads what was brought in. Rejects when it is nothing that can be shown. */
  open(source: Source, scoring: Scoring): Promise<StoryHead>;
  /** Reads a moment. What is asked next is `adjust`: with it the moment is in the table of the engine. */
  show(index: number): Promise<Moment>;
  /** Puts the moment into the table, with these oom_score_adj in the place of its own. */
  adjust(adjustments: Adjustments): Promise<void>;
  rank(scoring: Scoring): Promise<Ranked>;
  choose(scheme: SchemeName, scoring: Scoring): Promise<Choice>;
  explain(slot: number, scoring: Scoring): Promise<Explained>;
  /** Takes the text of a policy file; blank text is no policy. What is wrong with it is an answer, not an error. */
  setPolicy(text: string): Promise<PolicyVerdict>;
}

export const DESK_CALLS = ['open', 'show', 'adjust', 'rank', 'choose', 'explain', 'setPolicy'] as const;
