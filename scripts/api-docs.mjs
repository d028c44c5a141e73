// Builds the API reference from the docstrings: `npm run docs:api`, into build/api. typedoc needs another TypeScript than the project, so it has
// a folder of its own, docs/api, with its own lock file. Fails where an export has no docstring or a link leads nowhere.
// Prints "skipped: …" where npm does not give typedoc; with BADNESS_API_MUST that is a failure too.
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { inTries } from '../tests/runtimes/fetched.mjs';

const FOLDER = 'docs/api';
const FETCH_MS = 240_000;

/** What went wrong, or null. */
function install() {
  const quiet = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  return inTries(() => promisify(execFile)('npm', ['ci', ...quiet], { cwd: FOLDER, timeout: FETCH_MS })).then(
    () => null,
    ({ stderr }) => stderr?.trim().split('\n').at(-1) || `npm ci in ${FOLDER} failed`,
  );
}

/** The entries of typedoc must be those of the package. */
function forgottenEntries() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const { entryPoints } = JSON.parse(readFileSync(`${FOLDER}/typedoc.json`, 'utf8'));
  const named = new Set(entryPoints.map((path) => path.replace('../../', './dist/types/').replace(/\.ts$/, '.d.ts')));
  return Object.values(exports).flatMap(({ types }) => (types && !named.has(types) ? [types] : []));
}

async function main() {
  const forgotten = forgottenEntries();
  if (forgotten.length > 0) throw new Error(`${FOLDER}/typedoc.json must have an entry for ${forgotten.join(', ')}`);
  const missing = await install();
  if (missing !== null) {
    console.log(`skipped: npm does not give typedoc: ${missing}`);
    return process.env.BADNESS_API_MUST ? 1 : 0;
  }
  return spawnSync('npx', ['--no-install', 'typedoc'], { cwd: FOLDER, stdio: 'inherit' }).status ?? 1;
}

process.exitCode = await main();
