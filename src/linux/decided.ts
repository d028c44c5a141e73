/** Stage: selection → report. What one round of the scanner found, and what it cost. */
import * as L from '../../assembly/layout.js';
import type { Outcome } from '../rank.js';

/** What one round found and what it cost, in microseconds of wall time. */
export interface Decided {
  outcome: Outcome;
  /** Row of the victim in the current snapshot, or below 0. */
  slot: number;
  tasks: number;
  /** Memory and swap of the machine, which kernel schemes scale by. */
  totalPages: number;
  gone: number;
  /** Tasks of the last listing that this user may not read. */
  unreadable: number;
  /** Whether this round listed the tasks, or knew that the list is the same. */
  listed: boolean;
  /** Whether it trusted nothing remembered, as the first and one in sixteen: its bounds are the widest. */
  sound: boolean;
  /** Tasks read in full because they could have won. */
  refined: number;
  readUs: number;
  scoreUs: number;
  selectUs: number;
  roundUs: number;
}

/** Of a round that has found nobody yet. */
export function blankDecided(tasks: number, totalPages: number): Decided {
  return {
    outcome: 'no-victim',
    slot: L.E_NO_VICTIM,
    tasks,
    totalPages,
    gone: 0,
    unreadable: 0,
    listed: false,
    sound: false,
    refined: 0,
    readUs: 0,
    scoreUs: 0,
    selectUs: 0,
    roundUs: 0,
  };
}
