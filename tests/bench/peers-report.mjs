// The figures of race.mjs and footprint.mjs, and what of all benches is set side by side in the README.
import { late, middle } from './reaction-report.mjs';
import { asked, isKnown, round, table } from './verdicts.mjs';

const LIBRARY = ['Node with a guard of the library', 'Node, nothing else'];

/** Of the runs at one rate: how often the kernel was first, and how often anybody else but the hog died, or nobody. */
function judged(runs, rate) {
  const of = runs.filter((run) => run.rate === rate);
  return {
    runs: of.length,
    kernel: of.filter(({ kernel }) => kernel > 0).length,
    wrong: of.filter(({ died, innocent }) => !died || innocent).length,
  };
}

export function raceVerdicts({ rates, runs }) {
  return rates.flatMap((rate, at) => {
    const { kernel, wrong } = judged(runs.guard, rate);
    const most = at === rates.length - 1 ? 1 : 0;
    return [
      asked(`race at ${rate} MiB/s: the kernel was first`, kernel, most, { unit: 'races' }),
      asked(`race at ${rate} MiB/s: the hog lived, or another died`, wrong, 0, { unit: '' }),
    ];
  });
}

export function raceTable({ rates, runs, rounds, limitMib }) {
  const rows = Object.entries(runs).map(([name, list]) => [
    name,
    ...rates.map((rate) => {
      const { kernel, wrong } = judged(list, rate);
      return `${kernel}${wrong ? ` (${wrong} wrong)` : ''}`;
    }),
  ]);
  return [
    `How often of ${rounds} the kernel was before the daemon, in a memory cgroup of ${limitMib} MiB that is all the machine the daemons see.`,
    '',
    table(['', ...rates.map((rate) => `${rate} MiB/s`)], rows),
  ].join('\n');
}

export function footprintVerdicts({ medians }) {
  const unit = 'MiB';
  const of = (name) => medians[name]?.far?.rssMib ?? null;
  const [withGuard, without] = LIBRARY.map((name) => of(name));
  const more = isKnown(withGuard) && isKnown(without) ? withGuard - without : null;
  const device = isKnown(of('device host')) && isKnown(of('earlyoom')) ? of('device host') / of('earlyoom') : null;
  return [
    asked('RSS of badness guard in Node', of('badness guard, Node'), 52, { unit }),
    asked('RSS of badness guard in Bun', of('badness guard, Bun 1'), 32, { unit }),
    asked("the library's guard: RSS more than its host without", more, 12, { unit }),
    asked('RSS of the device host ÷ earlyoom', device, 1),
  ];
}

export function footprintTable({ medians, missing, rounds, seconds }) {
  const rows = Object.entries(medians).map(([name, { far, near }]) => [
    name,
    ...['rssMib', 'pssMib', 'anonMib'].map((key) => round(far?.[key], 1)),
    round(far?.cpu),
    round(near?.cpu),
  ]);
  return [
    `Medians of ${rounds}; CPU time over ${seconds} s, ms a second, far from the threshold and 2 percent of memory above it. MiB.`,
    '',
    table(['', 'RSS', 'PSS', 'anonymous', 'CPU far', 'CPU near'], rows),
    '',
    missing.length ? `Not measured: ${missing.join('; ')}.` : 'Nothing is missing.',
  ].join('\n');
}

/** The table of the README: our wins and theirs. */
export function sideBySide({ reaction, race, footprint }) {
  const names = Object.keys(race.runs);
  const held = { guard: 'badness guard, Node', earlyoom: 'earlyoom', nohang: 'nohang' };
  const row = (title, value) => [title, ...names.map(value)];
  return table(
    ['', ...names.map((name) => (name === 'guard' ? '**badness guard**' : name))],
    [
      row(`reaction among ${reaction.crowd} processes, median`, (name) => `${round(middle(reaction.ms[name]), 0)} ms`),
      row('95 of 100', (name) => `${round(late(reaction.ms[name]), 0)} ms`),
      ...race.rates.map((rate) =>
        row(`lost to the kernel at ${rate} MiB/s`, (name) => {
          const { kernel, runs } = judged(race.runs[name], rate);
          return `${kernel} of ${runs}`;
        }),
      ),
      row('CPU a second, 25 % available', (name) => `${round(reaction.idleMs.high[name])} ms`),
      row('CPU a second, 60 % available', (name) => `${round(reaction.idleMs.calm[name])} ms`),
      row('resident memory', (name) => `${round(footprint.medians[held[name]]?.far?.rssMib, 1)} MiB`),
    ],
  );
}
