// Checks the package as people get it: `npm run test:package [-- part of a check …]`. What is in it, whether its types and its exports are
// what tools expect, and whether it goes through four bundlers as it is. Tools that only this needs are fetched into a cache folder.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { bundlers, TOOLS } from '../tests/package/bundlers.mjs';
import { reachedFiles, unexpectedFiles } from '../tests/package/files.mjs';
import { installPackages } from '../tests/runtimes/fetched.mjs';
import { installPacked } from '../tests/runtimes/packed.mjs';

const ATTW = '@arethetypeswrong/cli@0.18.5';
/** Files to fetch and programs of threads, not modules to import: they have no types. */
const WORKERS = ['guard-worker.js', 'ranker-worker.js', 'plugin-worker.js', 'fleet-worker.js', 'evaluator-worker.js'];
const NO_MODULES = ['badness.wasm', 'badness.baseline.wasm', ...WORKERS];
const LITTLE_BYTES = 2048;
const CONSUMERS = ['pure', 'live', 'little'];
const INSIDE = ['guard-worker', 'inside'];
const run = promisify(execFile);
const parts = process.argv.slice(2);

async function node(file) {
  const { stdout } = await run(process.execPath, [file]);
  return stdout;
}

function checkFiles({ files, folder }) {
  const unexpected = unexpectedFiles(files);
  if (unexpected.length > 0) throw new Error(`not expected in the package: ${unexpected.join(', ')}`);
  const reached = reachedFiles(join(folder, 'node_modules/badness'));
  const idle = files.filter((file) => /\.(js|d\.ts)$/.test(file) && !reached.has(file));
  if (idle.length > 0) throw new Error(`nothing in the package refers to ${idle.join(', ')}`);
  return `${files.length} files`;
}

function checkManifest({ folder }) {
  const manifest = JSON.parse(readFileSync(join(folder, 'node_modules/badness/package.json'), 'utf8'));
  const { scripts = {}, exports, type, sideEffects, dependencies } = manifest;
  const installers = ['preinstall', 'install', 'postinstall', 'prepare'].filter((name) => name in scripts);
  if (installers.length > 0) throw new Error(`no scripts may run where it is installed, got ${installers.join(', ')}`);
  // Programs have effects and no exports; whoever imports anything else gets only what it uses.
  const programs = ['./dist/*-worker.js', './dist/cli.js', './dist/playground/*.js'].join();
  if (type !== 'module' || String(sideEffects) !== programs || dependencies) {
    throw new Error('type, sideEffects or dependencies');
  }
  for (const [name, target] of Object.entries(exports)) {
    if (typeof target === 'object' && Object.keys(target)[0] !== 'types') throw new Error(`${name}: types come first`);
  }
  return `${Object.keys(exports).length} exports`;
}

async function checkPublint() {
  const { stdout } = await run('npx', ['--no-install', 'publint', '--strict']);
  return stdout.trim().split('\n').at(-1);
}

async function checkAttw({ tarball }) {
  const tools = await installPackages('attw', [ATTW]);
  const options = ['--profile', 'esm-only', '--no-emoji', '--format', 'ascii', '--exclude-entrypoints', ...NO_MODULES];
  await run(join(tools, 'node_modules/.bin/attw'), [tarball, ...options]).catch((error) => {
    throw new Error(error.stdout || error.message);
  });
  return 'no problems';
}

async function checkTypes({ folder }) {
  const checked = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2022', '--types', 'node'];
  const roots = ['--typeRoots', resolve('node_modules/@types'), '--lib', 'es2023,esnext.disposable,dom'];
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const args = [...checked, ...roots, '--module', module, '--moduleResolution', resolution, join(folder, 'typed.ts')];
    await run(resolve('node_modules/.bin/tsc'), args, { cwd: folder }).catch((error) => {
      throw new Error(`--moduleResolution ${resolution}: ${error.stdout || error.message}`);
    });
  }
  return 'nodenext and bundler';
}

/** What each consumer prints without a bundler. */
async function expectations(folder) {
  const entries = CONSUMERS.map(async (name) => [name, await node(join(folder, `${name}.mjs`))]);
  return Object.fromEntries(await Promise.all(entries));
}

async function checkBundler(bundle, name, folder, expected) {
  const outfile = (consumer) => join(folder, `out-${name}`, `${consumer}.mjs`);
  mkdirSync(dirname(outfile('any')), { recursive: true });
  writeFileSync(join(dirname(outfile('any')), 'package.json'), '{"type":"module"}');
  for (const consumer of CONSUMERS) {
    await bundle(join(folder, `${consumer}.mjs`), outfile(consumer), consumer === 'live' ? 'node' : 'browser');
    const printed = await node(outfile(consumer));
    if (printed !== expected[consumer])
      throw new Error(`${consumer} prints ${printed}, expected ${expected[consumer]}`);
  }
  const { size } = statSync(outfile('little'));
  if (size > LITTLE_BYTES)
    throw new Error(`one constant brings ${size} bytes along, at most ${LITTLE_BYTES} are expected`);
  return `pure ${statSync(outfile('pure')).size} bytes, one constant ${size}`;
}

/** Threads are programs of their own: in a bundle a guard says so, and outside of it works. */
async function checkThreads(bundle, folder) {
  const outfile = join(folder, 'guarded-bundled.mjs');
  await bundle(join(folder, 'guarded.mjs'), outfile, 'node', ['koffi', 'badness']);
  const printed = await node(outfile);
  if (printed !== 'false\n') throw new Error(`with badness outside it prints ${printed}`);
  await bundle(join(folder, 'guarded.mjs'), outfile, 'node');
  const words = await node(outfile).catch(({ stderr }) => stderr);
  if (!words.includes('ENOTHREAD')) throw new Error(`with badness inside it says ${words}`);
  return 'outside of the bundle';
}

/** With the program of the thread as a bundle of its own, everything may be inside. */
async function checkInside(bundle, name, folder) {
  const outfile = (entry) => join(folder, `inside-${name}`, `${entry}.mjs`);
  mkdirSync(dirname(outfile('any')), { recursive: true });
  writeFileSync(join(dirname(outfile('any')), 'package.json'), '{"type":"module"}');
  for (const entry of INSIDE) await bundle(join(folder, `${entry}.mjs`), outfile(entry), 'node');
  const printed = await node(outfile('inside'));
  if (printed !== 'false system\n') throw new Error(`prints ${printed}`);
  return 'a guard and its thread, each in a bundle';
}

async function main() {
  const packed = await installPacked();
  const { folder } = packed;
  let failed = 0;
  const check = async (name, body) => {
    if (parts.length > 0 && !parts.some((part) => name.includes(part))) return;
    try {
      console.log(`ok      ${name}: ${await body(packed)}`);
    } catch (error) {
      failed++;
      console.log(`FAILED  ${name}: ${error.message}`);
    }
  };
  try {
    for (const file of [...[...CONSUMERS, ...INSIDE, 'guarded'].map((name) => `${name}.mjs`), 'typed.ts']) {
      cpSync(`tests/package/${file}`, join(folder, file));
    }
    await check('files', checkFiles);
    await check('manifest', checkManifest);
    await check('publint', checkPublint);
    await check('attw', checkAttw);
    await check('types', checkTypes);
    const expected = await expectations(folder);
    const tools = await installPackages('bundlers', TOOLS);
    const all = bundlers(tools);
    await check('threads', () => checkThreads(all.esbuild, folder));
    for (const [name, bundle] of Object.entries(all)) {
      await check(name, () => checkBundler(bundle, name, folder, expected));
      await check(`${name}, threads`, () => checkInside(bundle, name, folder));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
