// How each rig runs: the contestants in C, one folder for all, namespaces where daemons may kill. Never two at a time.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { benchScore } from './score.mjs';

/** Processes of the crowd; sets of fresh contestants. */
export const CROWD = 2000;
const SETS = 7;
/** Processes around a reaction, and how often it is measured. */
const REACTION_CROWD = 5000;
const FLIPS = 30;
/** Beside all peers. */
const PEERS = 'guard,earlyoom,nohang';
const RACES = 20;
const RACE_MOST_S = 200;
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
const setting = (name, otherwise) => Number(process.env[name] || otherwise);

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

/** Every rig by name. Each runs when it is called, and answers its figures, or null with the reason in `skipped`. */
export class Rigs {
  #folder;
  skipped;

  /** `folder` is for what is compiled and written meanwhile. */
  constructor(folder) {
    this.#folder = folder;
    this.skipped = compile(folder);
  }

  async score() {
    const score = await benchScore(this.#folder);
    this.skipped.push(...score.missing);
    return score;
  }

  growth() {
    return {
      shared: node('tests/bench/growth.mjs', 'shared', 'linux-2.6.10'),
      'shared, badness': node('tests/bench/growth.mjs', 'shared', 'badness'),
      baseline: node('tests/bench/growth.mjs', 'baseline', 'linux-2.6.10'),
    };
  }

  /** In a pid namespace of its own where this user may make one: then nobody is there but the crowd. */
  decision() {
    const args = ['tests/bench/decision.mjs', String(CROWD), String(SETS), this.#folder];
    const [unshare, ...flags] = NAMESPACE;
    const allowed = spawnSync(unshare, [...flags, 'true']).status === 0;
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 200_000 };
    const decision = allowed
      ? json(execFileSync(unshare, [...flags, process.execPath, ...args], options))
      : node(...args);
    if (!decision.sets[0].earlyoom) this.skipped.push('earlyoom: not installed, or it does not scan when told to');
    return decision;
  }

  garbage() {
    return node('--expose-gc', '--max-semi-space-size=128', 'tests/bench/garbage.mjs', this.#folder);
  }

  reaction({ peers }) {
    const crowd = [String(REACTION_CROWD), String(FLIPS), this.#folder, ...(peers ? [PEERS] : [])];
    return this.#apart('reaction', crowd, 900);
  }

  race() {
    const races = setting('BADNESS_RACES', RACES);
    return this.#apart('race', [String(races), this.#folder, PEERS], races * RACE_MOST_S);
  }

  footprint() {
    return node('tests/bench/footprint.mjs', String(setting('BADNESS_FOOTPRINTS', FOOTPRINTS)), String(FOOTPRINT_S));
  }

  soak() {
    const minutes = setting('BADNESS_SOAK_MINUTES', SOAK_MINUTES);
    return this.#apart('soak', [String(minutes), this.#folder], minutes * 60 * PATIENCE + 120);
  }

  /** Only in namespaces of its own: daemons that kill run there. */
  #apart(name, args, mostS) {
    const [unshare, ...flags] = NAMESPACE;
    const allowed = spawnSync(unshare, [...flags, 'mount', '--bind', '/dev/null', '/proc/meminfo']).status === 0;
    if (!allowed || !existsSync(join(this.#folder, 'reaction'))) {
      this.skipped.push(`${name}: needs namespaces, mount and gcc`);
      return null;
    }
    const command = [...flags, process.execPath, `tests/bench/${name}.mjs`, ...args];
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: mostS * 1000 };
    return json(execFileSync(unshare, command, { ...options, killSignal: 'SIGKILL' }));
  }
}
