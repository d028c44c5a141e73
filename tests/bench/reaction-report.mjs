// The figures of reaction.mjs: what was asked of them, and a table.
import { median, percentile } from './support.mjs';
import { asked, isKnown, round, stated, table } from './verdicts.mjs';

/** Milliseconds of those that were killed in time. */
const killed = (list) => (list ?? []).filter(isKnown);
/** Their median, null where nobody was killed. */
export const middle = (list) => (killed(list).length ? median(killed(list)) : null);
/** What 95 of a hundred do not exceed. */
export const late = (list) => (killed(list).length ? percentile(killed(list), 95) : null);

export function reactionVerdicts({ crowd, ms, cpuMs, idleMs, rssMib, lost }) {
  const unit = 'ms';
  const name = `reaction among ${crowd} processes`;
  const [guard, earlyoom] = [middle(ms.guard), middle(ms.earlyoom)];
  const missed = ms.guard.length - killed(ms.guard).length;
  return [
    asked(`${name}: median`, guard, 90, { unit }),
    asked(`${name}: 95 of 100`, late(ms.guard), 160, { unit }),
    asked(`${name}: median ÷ earlyoom`, isKnown(guard) && isKnown(earlyoom) ? guard / earlyoom : null, 0.6),
    asked(`${name}: not killed within 15 s, or somebody else killed`, missed + lost, 0, { unit: '' }),
    asked('idle at 25 % available: CPU a second', idleMs.high.guard, 1.3, { unit }),
    asked('idle at 60 % available: CPU a second', idleMs.calm.guard, 0.5, { unit }),
    stated('CPU of one kill', `${round(median(cpuMs.guard))} ms`),
    stated('RSS of the guard', `${round(rssMib.guard, 1)} MiB`),
  ];
}

export function reactionTable({ crowd, ms, cpuMs, idleMs, rssMib }) {
  const rows = Object.keys(ms).map((name) => [
    name,
    ...[middle(ms[name]), late(ms[name]), Math.max(...killed(ms[name])), median(cpuMs[name])].map((value) =>
      round(value, 0),
    ),
    ...[idleMs.high[name], idleMs.calm[name]].map((value) => round(value)),
    round(rssMib[name], 1),
  ]);
  return [
    `A file in the place of /proc/meminfo falls from 25 % to 4.9 % available at a random moment, and a victim of 100 MiB among ${crowd} sleeping ` +
      `processes is waited for; ${ms.guard.length} times each, in turns, in a pid namespace of their own. ms; idle is CPU time of all threads, ms a second.`,
    '',
    table(['', 'median', '95 of 100', 'most', 'CPU of one kill', 'idle at 25 %', 'idle at 60 %', 'RSS, MiB'], rows),
  ].join('\n');
}
