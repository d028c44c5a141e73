/** Stage: report. What the thread of a guard and the thread of its fleet's agent say to each other. Everything can be cloned between threads. */
import type { Plain } from '../../json-keys.js';
import type { WholeDecision } from '../../linux/kept-decisions.js';
import type { Refusal } from '../../linux/thread-refusal.js';
import type { FleetSettings, PolicyInput } from '../../policy/index.js';
import type { Taken } from '../fleet-guard.js';
import type { LocalSide } from '../local-limits.js';

/** What the thread is started with. */
export interface FleetWorkerData {
  readonly settings: FleetSettings;
  readonly host: string;
  readonly version: string;
  readonly run: string;
  readonly folder: string;
  readonly local: LocalSide;
  readonly enforce: boolean;
  /** The guard's readings of memory (MemorySubscription). */
  readonly readings: SharedArrayBuffer;
}

export type ToAgent =
  | {
      readonly kind: 'decision';
      readonly wallMs: number;
      readonly event: { readonly [key: string]: Plain };
      readonly record: Uint8Array | null;
      /** For the shadow policy; null without one. */
      readonly whole: WholeDecision | null;
    }
  /** How short memory is has changed. */
  | { readonly kind: 'level' }
  | { readonly kind: 'taken'; readonly id: number; readonly taken: Taken | null; readonly refusal: Refusal | null }
  /** The machine's own file has changed. */
  | { readonly kind: 'local'; readonly local: LocalSide }
  | { readonly kind: 'close' };

export type ToGuard =
  | { readonly kind: 'started' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Null: the machine's own. */
  | { readonly kind: 'take'; readonly id: number; readonly input: PolicyInput | null }
  /** Whether decisions are to come whole. */
  | { readonly kind: 'shadowing'; readonly on: boolean }
  | { readonly kind: 'note'; readonly words: string };
