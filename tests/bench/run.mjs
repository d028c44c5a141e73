// Compiles the contestants in C, runs bench after bench, never two at a time, and writes RESULTS.md.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { sizes } from '../../scripts/size.mjs';
import { sideBySide } from './peers-report.mjs';
import { pictures, writePlots } from './plots.mjs';
import { report } from './report.mjs';
import { benchScore } from './score.mjs';

/** Processes of the crowd; sets of fresh contestants. */
const CROWD = 2000;
const SETS = 7;
/** Processes around a reaction, and how often it is measured. */
const REACTION_CROWD = 5000;
const FLIPS = 30;
/** Beside all peers. */
const PEERS = 'guard,earlyoom,nohang';
const RACES = 20;
const FOOTPRINTS = 3;
const FOOTPRINT_S = 10;
const SOAK_MINUTES = 30;
/** A long bench is given up after twice its time. */
const PATIENCE = 2;
const NAMESPACE = ['unshare', '--map-root-user', '--pid', '--mount-proc', '--fork', '--kill-child'];
const SOURCES = [
  ...['score', 'crowd', 'scan', 'reaction', 'feeder', 'churn'].map((name) => `tests/bench/${name}.c`),
  'tests/real/eater.c',
];
const C_FLAGS = ['-O3', '-march=native'];

const json = (text) => JSON.parse(text.trim().split('\n').at(-1));
const node = (...args) =>
  json(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));

/**
 * Runs the benches of ourselves, or with `peers` also those that set the daemons side by side for an hour, whose figures go into the README.
 * Returns 0; a figure that misses what was asked is a result, an error throws. BADNESS_RACES, BADNESS_FOOTPRINTS and
 * BADNESS_SOAK_MINUTES make the long ones shorter.
 */
export async function runBenches({ peers = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'badness-bench-'));
  const step = (name) => console.error(`bench: ${name} …`);
  try {
    const skipped = compile(folder);
    step('score and select');
    const score = await benchScore(folder);
    skipped.push(...score.missing);
    step('growth');
    const growth = {
      shared: node('tests/bench/growth.mjs', 'shared', 'linux-2.6.10'),
      'shared, badness': node('tests/bench/growth.mjs', 'shared', 'badness'),
      baseline: node('tests/bench/growth.mjs', 'baseline', 'linux-2.6.10'),
    };
    step(`decisions on ${CROWD} processes`);
    const linux = process.platform === 'linux';
    const decision = linux ? decide('tests/bench/decision.mjs', String(CROWD), String(SETS), folder) : null;
    step('garbage');
    const garbage = linux ? node('--expose-gc', '--max-semi-space-size=128', 'tests/bench/garbage.mjs', folder) : null;
    step(`reaction among ${REACTION_CROWD} processes`);
    const crowd = [String(REACTION_CROWD), String(FLIPS), folder, ...(peers ? [PEERS] : [])];
    const reaction = linux ? apart(skipped, folder, 'reaction', crowd, 900) : null;
    if (!linux) skipped.push('decision, garbage, reaction: there is no /proc here');
    if (decision && !decision.sets[0].earlyoom)
      skipped.push('earlyoom: not installed, or it does not scan when told to');
    const beside = peers && linux ? benchPeers(folder, skipped, step) : {};
    if (!peers) skipped.push('races, footprints, soak: npm run bench:all');
    const text = report({
      score,
      growth,
      decision,
      garbage,
      reaction,
      ...beside,
      sizes: sizes(),
      skipped,
      crowd: CROWD,
    });
    writeFileSync('tests/bench/RESULTS.md', text.markdown);
    if (reaction && beside.race) show({ reaction, ...beside });
    console.log(text.summary);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

/** Compiles what it can. Returns what is skipped for the lack of it, each with the reason. */
function compile(folder) {
  for (const source of SOURCES) {
    const name = basename(source, '.c');
    const args = [...C_FLAGS, '-Wall', '-Wextra', '-o', join(folder, name), source, '-lm'];
    const { error, status } = spawnSync('gcc', args, { stdio: 'inherit' });
    if (error || status !== 0)
      return [`everything in C: ${error ? 'gcc is not installed' : `gcc failed on ${source}`}`];
  }
  return [];
}

/** Runs a bench in a pid namespace of its own where this user may make one: then nobody is there but the crowd. */
function decide(...args) {
  const [unshare, ...flags] = NAMESPACE;
  const allowed = spawnSync(unshare, [...flags, 'true']).status === 0;
  if (!allowed) return node(...args);
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 200_000 };
  return json(execFileSync(unshare, [...flags, process.execPath, ...args], options));
}

/** The daemons side by side. */
function benchPeers(folder, skipped, step) {
  const races = Number(process.env.BADNESS_RACES || RACES);
  const minutes = Number(process.env.BADNESS_SOAK_MINUTES || SOAK_MINUTES);
  step(`races against the kernel, ${races} at each rate`);
  const race = apart(skipped, folder, 'race', [String(races), folder, PEERS], races * 200);
  step('footprints');
  const footprints = process.env.BADNESS_FOOTPRINTS || String(FOOTPRINTS);
  const footprint = node('tests/bench/footprint.mjs', footprints, String(FOOTPRINT_S));
  step(`soak of ${minutes} minutes`);
  const soak = apart(skipped, folder, 'soak', [String(minutes), folder], minutes * 60 * PATIENCE + 120);
  return { race, footprint, soak };
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

/** Only in namespaces of its own: daemons that kill run there. Null, and the reason in `skipped`, where there are none. */
function apart(skipped, folder, name, args, mostS) {
  const [unshare, ...flags] = NAMESPACE;
  const allowed = spawnSync(unshare, [...flags, 'mount', '--bind', '/dev/null', '/proc/meminfo']).status === 0;
  if (!allowed || !existsSync(join(folder, 'reaction'))) {
    skipped.push(`${name}: needs namespaces, mount and gcc`);
    return null;
  }
  const command = [...flags, process.execPath, `tests/bench/${name}.mjs`, ...args];
  const options = {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: mostS * 1000,
    killSignal: 'SIGKILL',
  };
  return json(execFileSync(unshare, command, options));
}
