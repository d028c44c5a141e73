// Compiles the tests into build/ and runs them: `node scripts/test.mjs [real|browser|fleet] [-option …] [part of a file name …]`.
// Options go to `node --test`. Runs from the root of the repository, so that tests find dist/ and tests/vectors/.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { bundlePrograms } from './bundle.mjs';

const args = process.argv.slice(2);
/** Those that want root and real processes, a browser or a server of NATS, and all others. */
const kind = ['real', 'browser', 'fleet'].find((name) => name === args[0]) ?? 'src';
const apart = kind !== 'src';
if (apart) args.shift();
const options = args.filter((arg) => arg.startsWith('-'));
const parts = args.filter((arg) => !arg.startsWith('-'));

/** Files below `root` that end so, sorted; none when there is no such folder. */
function filesBelow(root, ending) {
  if (!existsSync(root)) return [];
  const files = readdirSync(root, { recursive: true }).map((file) => `${root}/${file.replaceAll('\\', '/')}`);
  return files.filter((file) => file.endsWith(ending)).sort();
}

const named = (file) => parts.length === 0 || parts.some((part) => file.includes(part));
const tests = filesBelow(`tests/${kind}`, '.test.ts')
  // The tests of the tree itself stand at the top of tests/.
  .concat(apart ? [] : readdirSync('tests').map((file) => `tests/${file}`))
  .filter((file) => file.endsWith('.test.ts') && named(file));
const specs = apart ? [] : filesBelow('tests/assembly', '.spec.ts').filter(named);
if (tests.length + specs.length === 0) {
  console.error(`no test file${parts.length ? ` has ${parts.join(' or ')} in its name` : ''}`);
  process.exit(1);
}

const outdir = `build/${apart ? kind : 'unit'}`;
await bundlePrograms([...tests, ...filesBelow('tests', '.worker.ts')], outdir, { outbase: '.' });

// Guards that tests start do not meet at the usual socket, nor at that of a guard of this machine.
process.env.BADNESS_CONTROL = 'none';

/** Files at a time. Real kills and browsers go one by one however many processors there are: each file takes all of the machine. */
const AT_A_TIME = `--test-concurrency=${apart ? 1 : 2}`;
/** What waits for a server that is gone would wait for ever. */
const PATIENCE = kind === 'fleet' ? ['--test-timeout=180000'] : [];

/** Runs node and says whether it succeeded. */
const run = (...command) => spawnSync(process.execPath, command, { stdio: 'inherit' }).status === 0;

const outputs = tests.map((file) => `${outdir}/${file.replace(/\.ts$/, '.js')}`);
// A whole run without any spec is a failure, and aspect.mjs says so.
const withoutSpecs = specs.length === 0 && (apart || parts.length > 0);
const specsPass = withoutSpecs || run('scripts/aspect.mjs', ...parts);
// Both always run: a failure of the one must not hide a failure of the other.
const testsPass =
  tests.length === 0 ||
  run('--test', '--test-reporter=spec', '--enable-source-maps', AT_A_TIME, ...PATIENCE, ...options, ...outputs);
process.exitCode = specsPass && testsPass ? 0 : 1;
