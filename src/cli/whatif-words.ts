/** Stage: report. What changes from one policy to another, in words and as JSON. */
import { type Plain, snakeKeys } from '../linux/index.js';
import type { Looked, Standing, Verdict, WhatIf, WhatIfChange } from '../recording/index.js';
import { printable } from './names.js';
import { counted, grouped, memory, sinceStart } from './quantities.js';
import { hitLines } from './rule-words.js';
import { named } from './words.js';

/** Sums over all recordings. */
export interface Totals {
  recordings: number;
  skipped: number;
  snapshots: number;
  decided: number;
  evaluations: number;
  changed: number;
  /** Recordings with a change. */
  recordingsChanged: number;
  otherVictim: number;
  noLongerSpared: number;
  noLongerKilled: number;
  otherSignal: number;
}

export function noTotals(): Totals {
  return {
    ...{ recordings: 0, skipped: 0, snapshots: 0, decided: 0, evaluations: 0, changed: 0, recordingsChanged: 0 },
    ...{ otherVictim: 0, noLongerSpared: 0, noLongerKilled: 0, otherSignal: 0 },
  };
}

function kindOf({ old, new: now }: WhatIfChange) {
  if (old.victim === null) return 'noLongerSpared';
  if (now.victim === null) return 'noLongerKilled';
  return old.victim.tgid === now.victim.tgid ? 'otherSignal' : 'otherVictim';
}

export function addTo(totals: Totals, looked: Looked): void {
  totals.recordings += 1;
  if (looked.kind === 'bad') {
    totals.skipped += 1;
    return;
  }
  const { changes, snapshots, decided, evaluations }: WhatIf = looked.result;
  totals.snapshots += snapshots;
  totals.decided += decided;
  totals.evaluations += evaluations;
  totals.changed += changes.length;
  if (changes.length > 0) totals.recordingsChanged += 1;
  for (const change of changes) totals[kindOf(change)] += 1;
}

function victim({ victim: chosen }: Verdict): string {
  return chosen ? named(chosen) : 'nobody';
}

function standing(one: Standing): string {
  const { points, reason, class: order } = one;
  const worth = points === null ? `may not be chosen (${reason})` : `${grouped(points)} points`;
  const goes = order === null ? '' : `, goes ${order}`;
  const rules = hitLines(one.rules)
    .map((line) => `; ${line}`)
    .join('');
  return `${named(one)} ${worth}${goes}${rules}`;
}

const NOBODY = {
  'not-short': 'memory is not short',
  'no-victim': 'nobody may be chosen',
  'in-flight': 'waits for a task that is dying',
};

function verdictLines(name: string, { level, outcome, signal, victim: chosen, other }: Verdict): string[] {
  const beside = other ? [`         ${standing(other)}`] : [];
  if (outcome !== 'victim') return [`    ${name}  ${NOBODY[outcome]} (level ${level})`, ...beside];
  const back = memory(chosen!.chargeBytes);
  return [`    ${name}  ${signal}, gives back ${back}: ${standing(chosen!)}`, ...beside];
}

export function changeLines(path: string, change: WhatIfChange): string[] {
  const { snapshot, atMs, old, new: now } = change;
  const what = kindOf(change) === 'otherSignal' ? `${victim(old)}: ${old.signal} → ${now.signal}` : null;
  return [
    `${printable(path)} ${sinceStart(atMs)} (snapshot ${snapshot + 1}): ${what ?? `${victim(old)} → ${victim(now)}`}`,
    ...verdictLines('old', old),
    ...verdictLines('new', now),
  ];
}

export function totalLines(totals: Totals): string[] {
  const { recordings, skipped, snapshots, decided, changed, recordingsChanged } = totals;
  const kinds: [number, string][] = [
    [totals.otherVictim, 'another victim'],
    [totals.noLongerSpared, 'a victim where there was none'],
    [totals.noLongerKilled, 'no victim any more'],
    [totals.otherSignal, 'another signal'],
  ];
  const those = kinds.flatMap(([count, words]) => (count > 0 ? [`${grouped(count)} ${words}`] : []));
  return [
    `${grouped(changed)} of ${counted(decided, 'decision')} ${changed === 1 ? 'changes' : 'change'}${those.length > 0 ? `: ${those.join(', ')}` : ''}`,
    `${grouped(recordingsChanged)} of ${counted(recordings, 'recording')} with a change, ${counted(snapshots, 'snapshot')}; ${grouped(skipped)} left out`,
  ];
}

/** `id`: what the change is called for ever, where it is called anything. */
export function changeJson(recording: string, { snapshot, ...change }: WhatIfChange, id?: string): string {
  return JSON.stringify({ kind: 'change', id, recording, snapshot: snapshot + 1, ...object(change) });
}

export function skippedJson(recording: string, code: string | null, words: string): string {
  return JSON.stringify({ kind: 'skipped', recording, code, words });
}

export function totalJson(totals: Totals): string {
  return JSON.stringify({ kind: 'total', ...object({ ...totals }) });
}

function object(value: object): Record<string, unknown> {
  return snakeKeys(value as unknown as Plain) as unknown as Record<string, unknown>;
}
