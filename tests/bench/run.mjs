// Runs rig after rig, and writes RESULTS.md, or prints what single ones found.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sizes } from '../../scripts/size.mjs';
import { sideBySide } from './peers-report.mjs';
import { pictures, writePlots } from './plots.mjs';
import { report, verdictsOf } from './report.mjs';
import { CROWD, Rigs } from './rigs.mjs';

const ANYWHERE = ['score', 'growth'];
const ON_LINUX = ['decision', 'garbage', 'reaction'];
const BESIDE_PEERS = ['race', 'footprint', 'soak'];

/** One that breaks takes no hour of the others along: it has no figures, and says so. */
async function runRigs(folder, names, peers) {
  const rigs = new Rigs(folder);
  const figures = {};
  const broken = [];
  for (const name of names) {
    console.error(`bench: ${name}, ${new Date().toTimeString().slice(0, 8)} …`);
    try {
      figures[name] = await rigs[name]({ peers });
    } catch (error) {
      broken.push(`${name}: ${error.message}`);
    }
  }
  return { figures, broken, skipped: [...rigs.skipped, ...broken] };
}

/** Into the README, between its marks, and as plots beside it. */
function show(figures) {
  writePlots('docs/plots', figures);
  const text = readFileSync('README.md', 'utf8');
  const shown = [sideBySide(figures), ...pictures('docs/plots')].join('\n\n');
  const table = `<!-- beside: npm run bench:all -->\n\n${shown}\n\n<!-- /beside -->`;
  writeFileSync(
    'README.md',
    text.replace(/<!-- beside: .*? -->[\s\S]*<!-- \/beside -->/, () => table),
  );
}

/** All of ourselves, or with `peers` also the daemons side by side, into RESULTS.md and the README. */
async function writeResults(folder, peers) {
  const names = [...ANYWHERE, ...(process.platform === 'linux' ? ON_LINUX : []), ...(peers ? BESIDE_PEERS : [])];
  const { figures, broken, skipped } = await runRigs(folder, names, peers);
  if (!peers) skipped.push('races, footprints, soak: npm run bench:all');
  const measured = { ...figures, sizes: sizes() };
  writeFileSync('tests/bench/RESULTS.md', report(measured, { skipped, crowd: CROWD }));
  const { reaction, race, footprint } = figures;
  if (peers && reaction && race && footprint) show(figures);
  return { verdicts: verdictsOf(measured), broken };
}

/**
 * Runs the rigs of these names and prints what they found; without names those that need no peers, and with `peers` all, which take an hour;
 * then RESULTS.md is written. BADNESS_RACES, BADNESS_FOOTPRINTS and BADNESS_SOAK_MINUTES make the long ones shorter.
 * Returns an exit code: 1 when a rig broke or something was wrong; a figure that misses what was asked is a result.
 */
export async function runBenches(names, { peers = false } = {}) {
  const unknown = names.find((name) => ![...ANYWHERE, ...ON_LINUX, ...BESIDE_PEERS].includes(name));
  if (unknown !== undefined)
    throw new Error(`expected ${[...ANYWHERE, ...ON_LINUX, ...BESIDE_PEERS].join(', ')}, got ${unknown}`);
  const folder = mkdtempSync(join(tmpdir(), 'badness-bench-'));
  try {
    const alone = async () => {
      const { figures, broken, skipped } = await runRigs(folder, names, peers);
      for (const words of skipped) console.log(`skipped: ${words}`);
      return { verdicts: verdictsOf(figures), broken };
    };
    const { verdicts, broken } = await (names.length ? alone() : writeResults(folder, peers));
    for (const { cells } of verdicts) console.log(cells.join('  '));
    for (const words of broken) console.error(`bench: ${words}`);
    return broken.length || verdicts.some(({ isFault }) => isFault) ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
