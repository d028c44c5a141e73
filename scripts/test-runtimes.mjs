// Runs the one suite on the packed package in every runtime that can be had: `npm run test:runtimes [-- --write] [part of a name …]`.
// Fetches runtimes from npm into a cache folder. Says what it skipped and why; BADNESS_RUNTIMES_MUST names kinds that may not be skipped
// (server, page, native). `--write` writes tests/runtimes/results.json and the README's table.
import { execFile } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleSuite, FILES, missingSuites, recordAsks } from '../tests/runtimes/bundle.mjs';
import { differenceOf, outcomeOf } from '../tests/runtimes/outcome.mjs';
import { installPacked } from '../tests/runtimes/packed.mjs';
import { runInPage } from '../tests/runtimes/page.mjs';
import { obtain, RUNTIMES } from '../tests/runtimes/runtimes.mjs';
import { RESULTS, readResults, writeTable } from './runtimes-table.mjs';

/** Of one runtime: minutes on a busy machine. */
const RUN_MS = 600_000;
const ANSWER_BYTES = 2 ** 26;
const run = promisify(execFile);

const options = process.argv.slice(2);
const write = options.includes('--write');
const parts = options.filter((option) => !option.startsWith('-'));
const must = new Set((process.env.BADNESS_RUNTIMES_MUST ?? '').split(/[\s,]+/).filter(Boolean));
const chosen = RUNTIMES.filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
const failures = [];

function fail(words) {
  failures.push(words);
  console.log(`  FAILED ${words}`);
}

/** Everything that a run needs beside the installed package. */
async function furnish(folder, asks) {
  await bundleSuite(join(folder, 'suite.js'));
  for (const file of FILES) {
    const source = file.startsWith('dist/') ? join(folder, 'node_modules/badness', file) : file;
    cpSync(source, join(folder, 'files', file));
  }
  for (const file of ['server.mjs', 'agent.mjs', 'leak.mjs', 'hoard.mjs'])
    cpSync(`tests/runtimes/${file}`, join(folder, file));
  cpSync('examples/deno-agent', join(folder, 'deno-agent'), { recursive: true });
  writeFileSync(join(folder, 'files.json'), JSON.stringify(FILES));
  writeFileSync(join(folder, 'asks.json'), JSON.stringify(asks));
}

/** One program of a runtime to its end. Its last line of output is JSON; words on stderr are a failure. */
async function runProgram(folder, [program, ...args], what) {
  const env = { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1', DENO_DIR: join(folder, '.deno') };
  delete env.BADNESS_NATIVE;
  const limits = { cwd: folder, env, timeout: RUN_MS, maxBuffer: ANSWER_BYTES };
  const { stdout, stderr } = await run(program, args, limits);
  if (stderr !== '') fail(`${what} wrote to stderr: ${stderr.slice(0, 500)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

async function runIn(runtime, { command, browser }, folder) {
  if (runtime.kind === 'page') return runInPage(browser, folder, runtime.isolated);
  if (runtime.kind === 'native') return runProgram('.', [...command, folder], runtime.name);
  const suite = await runProgram(folder, [...command, join(folder, 'server.mjs')], `${runtime.name}, suite`);
  const agent = await runProgram(folder, [...command, join(folder, 'agent.mjs')], `${runtime.name}, agent`);
  return { ...suite, features: { ...suite.features, ...agent.features }, details: agent.details };
}

/** Of every build, against the first records that any runtime gave. */
function compareRecords(name, asks, records, reference) {
  for (const [build, ours] of Object.entries(records)) {
    reference.records ??= ours;
    const difference = differenceOf(asks, reference.records, ours);
    if (difference !== null) fail(`${name}, ${build}: ${difference}`);
  }
  return Object.keys(records).join(' and ');
}

function report(name, result, asks, reference, startedMs) {
  const { tests = [], details = {} } = result;
  const { works, problems } = outcomeOf(result);
  const known = readResults()[name] ?? {};
  for (const { of, words } of problems) {
    if (known[of] === false) console.log(`  does not work, as is known: ${words.split('\n')[0]}`);
    else fail(`${name}: ${words}`);
  }
  const builds = compareRecords(name, asks, result.records, reference);
  const skipped = tests.filter(({ skipped }) => skipped !== null);
  const passed = tests.filter(({ error, skipped }) => error === null && skipped === null).length;
  console.log(
    `  ${passed} tests passed, ${skipped.length} skipped; ${asks.length} decision records of ${builds} compared`,
  );
  for (const reason of new Set(skipped.map(({ skipped }) => skipped))) console.log(`  skipped: ${reason}`);
  for (const [what, how] of Object.entries(details)) console.log(`  ${what}: ${how}`);
  console.log(`  ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
  return works;
}

/** What works there; undefined where it was skipped or did not come to an end. */
async function attempt(runtime, obtained, folder, asks, reference) {
  console.log(runtime.name);
  if (obtained.missing) {
    if (must.has(runtime.kind)) fail(`${runtime.name} must be run here, but: ${obtained.missing}`);
    else console.log(`  skipped: ${obtained.missing}`);
    return undefined;
  }
  const startedMs = Date.now();
  try {
    return report(runtime.name, await runIn(runtime, obtained, folder), asks, reference, startedMs);
  } catch (error) {
    fail(`${runtime.name}: ${error.message.slice(0, 2000)}`);
    return undefined;
  }
}

/** What a committed result says otherwise than this run. */
function compareResults(results) {
  const committed = readResults();
  for (const [name, works] of Object.entries(results)) {
    if (JSON.stringify(committed[name]) === JSON.stringify(works)) continue;
    fail(`${name}: ${RESULTS} says otherwise; npm run test:runtimes -- --write writes it anew`);
  }
}

async function main() {
  const obtaining = chosen.map(obtain);
  for (const suite of missingSuites) console.log(`no suite ${suite} yet: tests/src/${suite}.test.ts is not there`);
  const asks = await recordAsks();
  const { folder } = await installPacked();
  const results = {};
  const reference = { records: undefined };
  try {
    await furnish(folder, asks);
    for (const [index, runtime] of chosen.entries()) {
      const works = await attempt(runtime, await obtaining[index], folder, asks, reference);
      if (works && runtime.kind !== 'native') results[runtime.name] = works;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (write) writeTable(results);
  else compareResults(results);
  console.log(
    failures.length === 0 ? 'all that was run agrees' : `\n${failures.length} failed:\n${failures.join('\n')}`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}

await main();
