// Figures → RESULTS.md: what was asked, what was measured, the verdict; then everything raw.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { footprintTable, footprintVerdicts, raceTable, raceVerdicts } from './peers-report.mjs';
import { reactionTable, reactionVerdicts } from './reaction-report.mjs';
import { TASKS } from './score.mjs';
import { DISTRIBUTION } from './score-data.mjs';
import { soakTable, soakVerdicts } from './soak-report.mjs';
import { median } from './support.mjs';
import { asked, isKnown, round, stated, table } from './verdicts.mjs';

/**
 * The median over sets of one value divided by another of the same set: what made one set slow divides out. Sets that
 * lack one of the two do not count.
 */
function ratio(above, below) {
  const pairs = (above ?? []).map((value, index) => [value, below?.[index]]).filter((pair) => pair.every(isKnown));
  return pairs.length ? median(pairs.map(([a, b]) => a / b)) : null;
}

function scoreVerdicts({ ns }) {
  const engine = ns['shared:linux-2.6.10'];
  return [
    asked('score + select, plain C ÷ engine', ratio(ns.plain, engine), 8, { atLeast: true }),
    stated(
      'the same, with the factors prepared anew in every round',
      `${round(ratio(ns.plain, ns['shared:linux-2.6.10:anew']))} ×`,
    ),
    asked('score + select, engine ÷ C with SSE4.1 (128 bits)', ratio(engine, ns.sse), 1.5),
    asked('score + select, engine ÷ C with AVX2 (256 bits)', ratio(engine, ns.avx2), 1.5),
    stated('score + select, JavaScript ÷ engine', `${round(ratio(ns.javascript, engine))} ×`),
  ];
}

function growthVerdicts(growth) {
  return Object.entries(growth).map(([name, sizes]) => {
    const values = sizes.map(({ ns }) => ns);
    return asked(`growth 100 … 1M tasks, ${name}: slowest ÷ fastest`, Math.max(...values) / Math.min(...values), 1.5);
  });
}

/** One value of every set, null where a set lacks it. */
function column(sets, name, part) {
  return sets.map((set) => set[name]?.[part] ?? null);
}

/** The median of the sets that have it, or null. */
function middle(values) {
  const known = values.filter(isKnown);
  return known.length ? median(known) : null;
}

function decisionVerdicts({ sets }) {
  const of = (name, part) => column(sets, name, part);
  const earlyoom = of('earlyoom', 'steady');
  const verdicts = [];
  for (const [name, label] of [
    ['always', 'listing in every round'],
    ['forked', 'rounds without a fork before them'],
  ]) {
    const steady = of(name, 'steady');
    verdicts.push(
      asked(`decision, ${label}: ÷ earlyoom`, ratio(steady, earlyoom), 0.2),
      asked(`decision, ${label}: CPU time a process`, middle(steady), 2.3, { unit: 'µs' }),
      asked(`decision, ${label}: ÷ C loop`, ratio(steady, of('c', 'steady')), 1.5),
    );
  }
  verdicts.push(asked('first round, nothing kept: ÷ earlyoom', ratio(of('always', 'first'), earlyoom), 1));
  return verdicts;
}

function garbageVerdicts(garbage) {
  return [
    asked('garbage of a round, listing in every round', garbage.always.all, 200, { unit: 'B a task' }),
    asked('garbage of a round, default', garbage.forked.all, 200, { unit: 'B a task' }),
    stated('garbage of readTasks (everybody in full)', `${round(garbage.readTasks.all, 0)} B a task`),
  ];
}

function sizeVerdicts(sizes) {
  return sizes.map(({ name, bytes, allowed }) => asked(`size of ${name}, gzip -9`, bytes, allowed, { unit: 'B' }));
}

function decisionTable({ sets, kernel, namespace }, crowd) {
  const cells = (name, parts) => parts.map((part) => round(middle(column(sets, name, part))));
  const rows = [
    ['engine, listing in every round', ...cells('always', ['first', 'early', 'steady'])],
    ['engine, default: rounds that need not list', ...cells('forked', ['first', 'early', 'steady'])],
    ['C: readdir and pread of kept descriptors, nothing else', ...cells('c', ['first', 'early', 'steady'])],
    ['earlyoom', '–', '–', ...cells('earlyoom', ['steady'])],
  ];
  const skipped = median(sets.map((set) => set.forked.skipped));
  return [
    `${sets[0].always.tasks} processes (a crowd of ${crowd} that sleep${namespace ? ', in a pid namespace of its own' : ''}), ` +
      'µs of CPU time a process, medians; all threads count, compilers included.',
    '',
    table(['', 'first round', 'rounds 2–10', 'steady'], rows),
    '',
    `Score and select are ${round(100 * median(sets.map((set) => set.engineShare)), 1)} % of a round; ` +
      `${median(sets.map((set) => set.refined))} tasks a round are read in full. Of the last rounds ` +
      `${round(100 * skipped, 0)} % could do without the listing (tried up to nine times: a fork anywhere on ` +
      'the machine makes the next round list).',
    '',
    `Kernel memory of a kept descriptor: ${round(median(kernel.map(({ bytes }) => bytes)), 0)} bytes of slab, ` +
      'which the RSS of the process does not show.',
  ].join('\n');
}

function version(command, ...args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).split('\n')[0];
  } catch {
    return 'not there';
  }
}

function machine() {
  const memory = /^MemTotal:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return [
    `${cpus().length} × ${cpus()[0].model}, ${round(Number(memory[1]) / 1048576, 0)} GiB, Linux ${release()}, ` +
      `Node ${process.versions.node} (V8 ${process.versions.v8}), ${version('gcc', '--version')}.`,
    `Load average when it ended: ${loadavg()
      .map((load) => round(load))
      .join(' ')}.`,
  ].join('\n');
}

const VERDICTS = {
  score: scoreVerdicts,
  growth: growthVerdicts,
  decision: decisionVerdicts,
  garbage: garbageVerdicts,
  reaction: reactionVerdicts,
  race: raceVerdicts,
  footprint: footprintVerdicts,
  soak: soakVerdicts,
  sizes: sizeVerdicts,
};

/** What was asked of the rigs that have figures. */
export const verdictsOf = (figures) =>
  Object.entries(VERDICTS).flatMap(([name, verdicts]) => (figures[name] ? verdicts(figures[name]) : []));

/** The text of RESULTS.md. */
export function report(figures, { skipped, crowd }) {
  const { score, growth, decision, reaction, race, footprint, soak } = figures;
  const markdown = [
    '# Results of `npm run bench`',
    'Written by tests/bench/run.mjs; do not edit. Ratios are the median over sets of fresh processes in which the contestants take turns; figures in ns and µs belong to this machine.',
    `${new Date().toISOString().slice(0, 10)}. ${machine()}`,
    '## Asked and measured',
    table(
      ['', 'asked', 'measured', ''],
      verdictsOf(figures).map(({ cells }) => cells),
    ),
    skipped.length ? `Skipped: ${skipped.join('; ')}.` : 'Nothing was skipped.',
    ...(score ? ['## Score and select', SCORED, scoreTable(score)] : []),
    ...(growth
      ? ['## Growth', 'CPU time a task in ns for score and select; engines of matching capacity.', growthTable(growth)]
      : []),
    ...(decision ? ['## One decision', decisionTable(decision, crowd)] : []),
    ...(reaction ? ['## Reaction', reactionTable(reaction)] : []),
    ...(race ? ['## Races against the kernel', raceTable(race)] : []),
    ...(footprint ? ['## Footprint', footprintTable(footprint)] : []),
    ...(soak ? ['## Soak', soakTable(soak)] : []),
    '## Raw',
    details(figures),
  ].join('\n\n');
  return `${markdown}\n`;
}

const SCORED =
  `${TASKS} tasks. ${DISTRIBUTION}. All contestants of linux-2.6.10 named the same victim and the same points for everybody. ` +
  'CPU time a task in ns, one median a set:';

function scoreTable({ ns }) {
  const rows = Object.entries(ns).map(([name, sets]) => [
    name,
    round(median(sets)),
    sets.map((value) => round(value)).join(' '),
  ]);
  return table(['contestant', 'median', 'sets'], rows);
}

function growthTable(growth) {
  const [first] = Object.values(growth);
  const head = ['', ...first.map(({ size }) => String(size))];
  return table(
    head,
    Object.entries(growth).map(([name, list]) => [name, ...list.map(({ ns }) => round(ns))]),
  );
}

function details(values) {
  const short = (_key, value) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);
  const blocks = Object.entries(values).map(
    ([name, value]) =>
      `<details><summary>${name}</summary>\n\n\`\`\`json\n${JSON.stringify(value, short)}\n\`\`\`\n\n</details>`,
  );
  return blocks.join('\n\n');
}
