// Stage: report. In: what one round did. Out: a plain object, and its JSON spelling.
import { SCHEMA_VERSION } from '../../assembly/layout.js';
import type { Terms } from '../explain.js';
import { type Plain, snakeKeys } from '../json-keys.js';
import type { PluginReport } from '../plugin/points-source.js';
import type { RulesReport } from '../policy/row-rules.js';
import type { Ineligible, RankedTask } from '../rank.js';
import { rankedToRecord } from '../task-json.js';
import { type GroupFacts, type KillReport, killReportToJson } from './kill-report.js';
import type { WalkReport } from './notifier.js';
import type { ReactionReport } from './reactions.js';

/**
 * `dry`: chosen and explained, nothing sent. `busy`: another kill is in flight on this line of domains. `in-flight`: the
 * scheme's kernel would wait for a task that is dying. `left-alone`: the reaction that policy names does not kill.
 * `called-off`: once the token was held, enough memory was there again. The rest as a KillReport says.
 */
export type RoundOutcome =
  | 'released'
  | 'stuck'
  | 'refused'
  | 'gone'
  | 'dry'
  | 'no-victim'
  | 'in-flight'
  | 'busy'
  | 'left-alone'
  | 'called-off';

/** Memory of a domain as a round measures it, bytes. */
export interface MemoryReading {
  /** MemAvailable, or what a budget leaves: below 0 where it is overdrawn. */
  availableBytes: number;
  /** Free, but kept at hand by one processor each and not counted in MemAvailable; 0 where it cannot be read. */
  perCpuBytes: number;
  /** Memory and swap together. */
  totalBytes: number;
}

/** A queued task that was not taken. */
export interface PassedOver {
  tgid: number;
  /** Why it may not be chosen; `not there` when no task has the id, or it was not seen when tasks were read. */
  reason: Ineligible | 'not there';
}

/** Everything that is known of one round, as events, logs and the control socket tell it. */
export interface RoundReport {
  outcome: RoundOutcome;
  /** Why, for `refused`, `stuck` and `gone`; as in a KillReport. Null otherwise. */
  reason: string | null;
  /** As printed at start. */
  domain: string;
  enforce: boolean;
  /** Who chose: the candidate queue, or the scheme. */
  chosenBy: 'queue' | 'scheme';
  /** There were candidates in the queue, but their time was over (CandidateQueue.replace), so nobody looked at them. */
  queueStale: boolean;
  /** Queued tasks before the one chosen, in their order. */
  passedOver: PassedOver[];
  victim: RankedTask | null;
  terms: Terms | null;
  /** How the choice came by its points, where the policy names a plug-in; else null. `terms` are those of the fallback scheme. */
  plugin: PluginReport | null;
  /** What the rules cost; null without rules. What they did to the victim stands in its `rules`. */
  rules: RulesReport | null;
  /** Number of its decision record in the engine; null when it chose nobody. */
  decision: number | null;
  /** What the victim holds, and so what its end should give back, in bytes. */
  expectedBytes: number;
  /** In a dry round: who would go along, where the victim would not go alone. Else `kill` has it. */
  along?: GroupFacts;
  kill: KillReport | null;
  /** The walks of those who were asked, in the order of the round; those of the reactions stand in `reaction`. */
  walks: WalkReport[];
  reaction: ReactionReport | null;
  before: MemoryReading;
  after: MemoryReading;
  /** How much more there is than right before the kill, with what processors keep; others take and give meanwhile. Null when nobody was signalled. */
  freedBytes: number | null;
  /** From the call to the end of the kill, in milliseconds. */
  totalMs: number;
}

/** The report with the keys of the JSON output; the victim is a task record. What those who were asked did is left out. */
export function roundReportToJson(report: RoundReport): { readonly [key: string]: Plain } {
  const { victim, kill, reaction, walks: _, ...plain } = report;
  const { before, after, freedBytes, totalMs, terms, expectedBytes, ...choice } = plain;
  return {
    schema: SCHEMA_VERSION,
    ...(snakeKeys(choice as unknown as Plain) as { readonly [key: string]: Plain }),
    victim: victim && (rankedToRecord(victim) as Plain),
    ...(snakeKeys({ terms, expectedBytes, freedBytes, before, after } as unknown as Plain) as object),
    kill: kill && killReportToJson(kill),
    panicking: reaction?.panicking ?? false,
    total_ms: totalMs,
  };
}
