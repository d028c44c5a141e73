// Compiles the contestants in C, runs bench after bench, never two at a time, and writes RESULTS.md.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sizes } from '../../scripts/size.mjs';
import { report } from './report.mjs';
import { benchScore } from './score.mjs';

/** Processes of the crowd; sets of fresh contestants. */
const CROWD = 2000;
const SETS = 7;
/** Processes around a reaction, and how often it is measured. */
const REACTION_CROWD = 5000;
const FLIPS = 30;
const NAMESPACE = ['unshare', '--map-root-user', '--pid', '--mount-proc', '--fork', '--kill-child'];
const C_FLAGS = ['-O3', '-march=native'];

const json = (text) => JSON.parse(text.trim().split('\n').at(-1));
const node = (...args) =>
  json(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));

/** Runs everything. Returns 0; a figure that misses what was asked is a result, an error throws. */
export async function runBenches() {
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
    const reaction = linux ? react(skipped, String(REACTION_CROWD), String(FLIPS), folder) : null;
    if (!linux) skipped.push('decision, garbage, reaction: there is no /proc here');
    if (decision && !decision.sets[0].earlyoom)
      skipped.push('earlyoom: not installed, or it does not scan when told to');
    const text = report({ score, growth, decision, garbage, reaction, sizes: sizes(), skipped, crowd: CROWD });
    writeFileSync('tests/bench/RESULTS.md', text.markdown);
    console.log(text.summary);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

/** Compiles what it can. Returns what is skipped for the lack of it, each with the reason. */
function compile(folder) {
  for (const name of ['score', 'crowd', 'scan', 'reaction']) {
    const args = [...C_FLAGS, '-Wall', '-Wextra', '-o', join(folder, name), `tests/bench/${name}.c`, '-lm'];
    const { error, status } = spawnSync('gcc', args, { stdio: 'inherit' });
    if (error || status !== 0)
      return [`everything in C: ${error ? 'gcc is not installed' : `gcc failed on ${name}.c`}`];
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

/** Only in namespaces of its own: daemons that kill run there. Null, and the reason in `skipped`, where there are none. */
function react(skipped, ...args) {
  const folder = args.at(-1);
  const [unshare, ...flags] = NAMESPACE;
  const allowed = spawnSync(unshare, [...flags, 'mount', '--bind', '/dev/null', '/proc/meminfo']).status === 0;
  if (!allowed || !existsSync(join(folder, 'reaction'))) {
    skipped.push('reaction: needs namespaces, mount and gcc');
    return null;
  }
  const command = [...flags, process.execPath, 'tests/bench/reaction.mjs', ...args];
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 600_000, killSignal: 'SIGKILL' };
  return json(execFileSync(unshare, command, options));
}
