/** Stage: report. The guard as the fleet's agent sees it, on whichever thread it runs, and what the agent remembers of its own. */
import type { Plain } from '../json-keys.js';
import type { FleetPolicy, FleetShadow, Sequences } from './policy-keeper.js';
import type { PreviewAsk, PreviewFound } from './questions.js';
import type { ShadowVerdict } from './report.js';

/** What is in force after a policy was taken. */
export interface Taken {
  readonly enforce: boolean;
  /** What is not as the policy has it, in words. */
  readonly notes: readonly string[];
}

/** The guard as its agent sees it, on whichever thread it runs. */
export interface FleetGuard {
  /**
   * Goes on by another policy; null: that of the machine's own file. Resolves once it is in force. Rejects, with a `code` where there is
   * one, for a policy that is refused: then the one before still is in force, as a whole.
   */
  take(policy: FleetPolicy | null): Promise<Taken>;
  /** Evaluates a shadow policy at each decision from now on; null for none. Rejects for one that cannot be used. */
  shadow(policy: FleetShadow | null): Promise<void>;
  /** Who would die if memory fell so low; looks only. A guard without it answers no such question. */
  preview?(ask: PreviewAsk): Promise<PreviewFound>;
}

/** One round as a guard tells it. */
export interface DecisionNews {
  readonly wallMs: number;
  readonly event: { readonly [key: string]: Plain };
  readonly record: Uint8Array | null;
  readonly shadow?: ShadowVerdict | null;
}

/** What the agent remembers over restarts; all of it returns at once. */
export interface AgentMemory {
  /** What was saved last; nothing at first. */
  load(): Sequences;
  /** Keeps what was seen, and what is in force. */
  save(sequences: Sequences, inForce: (FleetPolicy & { readonly notes: readonly string[] }) | null): void;
}
