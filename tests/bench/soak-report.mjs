// The figures of soak.mjs: what was asked of them, and a table.
import { median } from './support.mjs';
import { asked, isKnown, round, table } from './verdicts.mjs';

/** Until then a process is still getting to what it needs. */
const SETTLED_S = 300;

/** ms of CPU a second between two samples. */
const cpu = (from, to) => (to.cpuMs - from.cpuMs) / (to.atS - from.atS);

function summary({ samples, before, after, minutes }) {
  const settled = samples.find(({ atS }) => atS >= Math.min(SETTLED_S, (minutes * 60) / 6));
  const last = samples.at(-1);
  const fifth = Math.floor(samples.length / 5);
  return {
    settled,
    last,
    growthMib: Math.max(...samples.slice(samples.indexOf(settled)).map(({ rssMib }) => rssMib)) - settled.rssMib,
    descriptors: last.descriptors - settled.descriptors,
    cpu: [cpu(samples[fifth], samples[2 * fifth]), cpu(samples.at(-1 - fifth), last)],
    wrong: [...before, ...after].filter((ms) => !isKnown(ms)).length,
  };
}

export function soakVerdicts(soak) {
  const { growthMib, descriptors, cpu, wrong } = summary(soak);
  const name = `soak, ${soak.minutes} min`;
  return [
    asked(
      `${name}: RSS grown after the first ${round(Math.min(SETTLED_S / 60, soak.minutes / 6), 1)} min, at most`,
      growthMib,
      2,
      { unit: 'MiB' },
    ),
    asked(`${name}: descriptors more at the end`, descriptors, 0, { unit: '' }),
    asked(`${name}: CPU of the last fifth ÷ of the second`, cpu[1] / cpu[0], 1.1),
    asked(`${name}: victims that lived, before and after`, wrong, 0, { unit: '' }),
  ];
}

export function soakTable(soak) {
  const { samples, before, after, crowd, flags } = soak;
  const every = Math.max(1, Math.floor(samples.length / 10));
  const rows = samples
    .filter((_, at) => at % every === 0)
    .map(({ atS, rssMib, cpuMs, descriptors }) => [round(atS / 60, 1), round(rssMib, 1), round(cpuMs, 0), descriptors]);
  return [
    `The guard at 20 ms between two looks, among ${crowd} processes of which 50 a second are replaced${flags.length ? `; Node runs with ${flags.join(' ')}` : ''}. ` +
      `Victims died after ${round(median(before), 0)} ms (median) before and ${round(median(after), 0)} ms after.`,
    '',
    table(['min', 'RSS, MiB', 'CPU, ms', 'descriptors'], rows),
  ].join('\n');
}
