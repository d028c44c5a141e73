/** Stage: report. A fleet in words. Names come from machines, and are shown as a terminal may have them. */
import type { StateReport } from '../fleet/index.js';
import { printable } from './names.js';
import { shortDuration } from './quantities.js';
import { type Column, screenOf, tableLines } from './table.js';

const COLUMNS: Column[] = [
  { title: 'HOST', least: 10 },
  { title: 'POLICY' },
  { title: 'REVISION', right: true },
  { title: 'STEP' },
  { title: 'KILLS' },
  { title: 'SAID', right: true },
  { title: 'NOTES', least: 10 },
];

/** A machine that has not spoken for so long is not there. */
const SILENT_S = 180;

function notesOf({ running, refused, notes, spool, shadow }: StateReport, agoS: number): string[] {
  return [
    ...(running ? [] : ['stopped']),
    ...(running && agoS > SILENT_S ? ['silent'] : []),
    ...refused.map(({ key, revision, code, message }) => `refused ${key} revision ${revision}: ${code}: ${message}`),
    ...(shadow?.error ? [`shadow: ${shadow.error}`] : []),
    ...(spool.dropped > 0 ? [`${spool.dropped} decisions dropped`] : []),
    ...notes,
  ];
}

/** How each machine stands. What is older than it should be says so. */
export function statusLines(states: readonly StateReport[], nowMs: number): string[] {
  const sorted = [...states].sort((a, b) => (a.host < b.host ? -1 : 1));
  const rows = sorted.map((state) => {
    const { host, policy, enforce, wall_ms: wallMs } = state;
    const agoS = Math.max(0, (nowMs - wallMs) / 1000);
    const which = policy === null ? ['own', '', ''] : [policy.key, String(policy.revision), policy.step];
    const notes = notesOf(state, agoS).join('; ');
    return [host, ...which, enforce ? 'yes' : 'dry', shortDuration(agoS), notes].map((cell) =>
      cell === '' ? '' : printable(cell),
    );
  });
  return tableLines(COLUMNS, rows, screenOf(process.stdout).width);
}
