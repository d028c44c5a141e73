// The runs of one or more NDJSON files as a page for people. Nothing in it is written by hand.
import { readFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { CONTESTANTS, complaints, SCENES } from './matrix.mjs';

/** Lines of runs; of the same run twice the later counts. */
export function readRuns(files) {
  const runs = new Map();
  for (const file of files) {
    for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      const run = JSON.parse(line);
      runs.set([run.kernel, run.memoryMib, run.swapMib, run.scene, run.contestant].join(' '), run);
    }
  }
  return [...runs.values()];
}

const guestOf = ({ result, kernel, memoryMib, swapMib }) =>
  `Linux ${result.kernel ?? kernel}, ${memoryMib} MiB, ${swapMib > 0 ? `${swapMib} MiB of swap` : 'no swap'}`;

const yes = (value) => (value ? 'yes' : '**no**');
const none = (count) => (count > 0 ? `**${count}**` : '0');

function row({ scene, contestant, result }) {
  if (result.missing) return `| ${scene} | ${contestant} | ${result.missing} | | | | | | |`;
  const { right, innocents, kernelKills, reliefMs, someMs, fullMs, leastAvailableKib, contestantRssKib } = result;
  const relief = right ? (reliefMs ?? 'never short') : '–';
  const least = `${Math.round(leastAvailableKib / 1024)} MiB`;
  const holds = contestantRssKib ? `${(contestantRssKib / 1024).toFixed(1)} MiB` : '–';
  const figures = [yes(right), none(innocents), none(kernelKills), relief, `${someMs} / ${fullMs}`, least, holds];
  return `| ${[scene, contestant, ...figures].join(' | ')} |`;
}

const HEAD = [
  '| scene | who acts | culprit gone | innocents killed | killed by the kernel | relief, ms | stalled some / full, ms | least available | who acts holds |',
  '|---|---|---|---|---|---|---|---|---|',
];

function order({ scene, contestant }) {
  return Object.keys(SCENES).indexOf(scene) * CONTESTANTS.length + CONTESTANTS.indexOf(contestant);
}

/** What of ours is not as it must be; a kill by the kernel only where somebody else had none. */
function misses(runs) {
  const same = (one, other) => ['kernel', 'memoryMib', 'swapMib', 'scene'].every((key) => one[key] === other[key]);
  return runs
    .filter(({ contestant }) => contestant === 'badness')
    .flatMap((run) => {
      const others = runs.filter((other) => other !== run && same(run, other) && other.result.right);
      const spared = others.length === 0 || others.some(({ result }) => result.kernelKills === 0);
      const counted = spared ? run.result : { ...run.result, kernelKills: 0 };
      return complaints(counted).map((words) => `- ${run.scene}, ${guestOf(run)}: ${words}`);
    });
}

/** The page. `versions`: of what is compared; `command`: what made the runs. */
export function tableOf(runs, { versions, qemu, command, date = new Date() }) {
  const guests = groupBy(runs, guestOf);
  const scenes = Object.entries(SCENES).map(([name, { says }]) => `- \`${name}\`: ${says}`);
  const sections = [...guests].flatMap(([guest, own]) => [
    '',
    `## ${guest}`,
    '',
    ...HEAD,
    ...own.sort((a, b) => order(a) - order(b)).map(row),
  ]);
  const missed = misses(runs);
  return [
    '# Shortages in virtual machines',
    '',
    `Written by \`${command}\` on ${date.toISOString().slice(0, 10)}; do not edit. ${runs.length} runs, one guest each; what has no row was not run. Under qemu ${qemu} (TCG) on ${cpus().length} × ${cpus()[0]?.model.trim()} (${arch()}), Node ${process.version}.`,
    `Clocks: ${[...new Set(runs.map(({ clock }) => clock))].join(', ')} (docs/vm.md). ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}, as Debian configures them.`,
    '',
    ...scenes,
    '',
    missed.length > 0
      ? 'Where this guard is not as it must be:'
      : 'This guard: right victim in all, no innocent, and no kill by the kernel where any other had none.',
    ...(missed.length > 0 ? ['', ...missed] : []),
    ...sections,
    '',
  ].join('\n');
}

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
