/** Stage: bytes → table → selection. What a scanner is asked for. */
import type { RowRules } from '../policy/row-rules.js';
import type { ScoreOptions } from '../rank.js';
import type { Exempt } from './exempt.js';
import type { FileCalls } from './file-calls.js';

/** Schemes whose points a short reading bounds from above. The others want everybody in full. */
export const BOUNDED_SCHEMES = ['badness', 'resident', 'linux-2.6.10'] as const;

/** How a scanner scores and whom it reads. */
export interface ScanOptions extends ScoreOptions {
  scheme?: (typeof BOUNDED_SCHEMES)[number];
  /** Where /proc is. Default `/proc`. */
  root?: string;
  hz?: number;
  /** Flags to add to each task that is read in full (exempt.ts). */
  exempt?: Exempt;
  /** Who is listed: pids as /proc spells them, in the order of strings. Default: everybody. */
  members?: () => readonly string[];
  /** Rules of a policy on the rows of this engine (openRules). */
  rules?: RowRules;
  /** Most descriptors kept open. Default: a quarter of the hard limit, at most 4,096. */
  maxDescriptors?: number;
  /** How files are read. Default: by node:fs; libc's own calls (Native.files) cost less, most of all in the first rounds. */
  files?: FileCalls;
  /** When to list the tasks again. Default `when-forked`: not while the kernel has counted no fork and nobody is gone. */
  listing?: 'when-forked' | 'always';
}
