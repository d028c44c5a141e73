// badness whatif: task evaluations a second and core, how two threads compare with one, and the same job in plain JavaScript. Run by hand:
// `node tests/bench/whatif.mjs [recordings [tasks [snapshots]]]`, after a build. Every figure is of a fresh process; they take turns.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './support.mjs';
import { NEVER, RULE, SCHEME, writeRecordings } from './whatif-data.mjs';

const SETS = 5;
const CHANGED = 22;
const [recordings = 200, tasks = 500, snapshots = 6] = process.argv.slice(2).map(Number);

function run(args, codes) {
  const begin = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (!codes.includes(status)) throw new Error(`${args.join(' ')} exited ${status}: ${stderr}`);
  return { ms: performance.now() - begin, stdout };
}

function command(folder, jobs) {
  const policies = ['--policy', join(folder, 'new.toml'), '--against', join(folder, 'old.toml')];
  const args = ['dist/cli.js', 'whatif', '--json', '--jobs', String(jobs), ...policies, join(folder, 'all')];
  const { ms, stdout } = run(args, [0, CHANGED]);
  return { ms, stdout, total: JSON.parse(stdout.trimEnd().split('\n').at(-1)) };
}

const contestant = (kind, folder) =>
  JSON.parse(run(['tests/bench/whatif-node.mjs', kind, join(folder, 'all')], [0]).stdout);

function measure(folder) {
  const sets = [];
  for (let set = 0; set < SETS; ++set) {
    const [one, two] = [1, 2].map((jobs) => command(folder, jobs));
    const [engine, javascript] = ['engine', 'javascript'].map((kind) => contestant(kind, folder));
    if (one.stdout !== two.stdout) throw new Error('two threads said something else than one');
    if (engine.digest !== javascript.digest) throw new Error('plain JavaScript names other victims');
    if (one.total.evaluations !== engine.evaluations) throw new Error('the command evaluated something else');
    sets.push({ one: one.ms, two: two.ms, engine, javascript });
    console.error(`set ${set + 1} of ${SETS}`);
  }
  return sets;
}

const after = ({ ms, readMs }) => ms - readMs;

/** Every figure: its words, how it is made of a set, digits. */
function figures(evaluations) {
  const aSecond = (ms) => Math.round((evaluations * 1000) / ms);
  return [
    ['evaluations/s, one thread, engine (no start-up)', ({ engine }) => aSecond(engine.ms), 0],
    ['evaluations/s, one thread, plain JavaScript', ({ javascript }) => aSecond(javascript.ms), 0],
    ['the same a second of CPU time (all threads), engine', ({ engine }) => aSecond(engine.cpuMs), 0],
    ['the same a second of CPU time, plain JavaScript', ({ javascript }) => aSecond(javascript.cpuMs), 0],
    ['plain JavaScript ÷ engine, time', ({ engine, javascript }) => javascript.ms / engine.ms, 2],
    ['without the reading of the text', ({ engine, javascript }) => after(javascript) / after(engine), 2],
    ['engine: share of reading the text, %', ({ engine }) => (100 * engine.readMs) / engine.ms, 1],
    ['the command with --jobs 1, ms', ({ one }) => one, 0],
    ['the command with --jobs 2, ms', ({ two }) => two, 0],
    ['scaling, one thread ÷ two (asked ≥ 1.8)', ({ one, two }) => one / two, 2],
    ['evaluations/s and core, the command with --jobs 2', ({ two }) => aSecond(two) / 2, 0],
  ];
}

function report(sets, bytes) {
  const { evaluations } = sets[0].engine;
  const size = `${(bytes / 2 ** 20).toFixed(0)} MiB of text`;
  console.log(
    `${recordings} recordings × ${snapshots} snapshots × ${tasks} tasks, ${size}, ${evaluations} task evaluations`,
  );
  console.log(`${availableParallelism()} processors, Node ${process.versions.node}; medians, and every set`);
  for (const [words, of, digits] of figures(evaluations)) {
    const values = sets.map(of);
    const raw = values.map((value) => value.toFixed(digits)).join(' ');
    console.log(`${words}: ${median(values).toFixed(digits)}   (${raw})`);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'badness-whatif-'));
try {
  mkdirSync(join(folder, 'all'));
  const bytes = writeRecordings(join(folder, 'all'), { recordings, tasks, snapshots });
  const never = `version = 1\nnever = ${JSON.stringify(NEVER)}\n`;
  writeFileSync(join(folder, 'old.toml'), never);
  const rule = `[[rule]]\ncomm = "${RULE.prefix}*"\ntimes = "1/2"\n`;
  writeFileSync(join(folder, 'new.toml'), `${never}scheme = "${SCHEME}"\n${rule}`);
  report(measure(folder), bytes);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
