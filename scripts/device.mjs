// Builds the hosts of examples/device over the baseline engine: `node scripts/device.mjs [FOLDER]`, by default build/device.
// Prints the programs that it made, or "skipped: …" where a tool is missing. Fails when the ABI header is stale.
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { staleHeader } from './abi-header.mjs';

const SOURCES = ['engine', 'proc', 'guard', 'main'].map((name) => `examples/device/${name}.c`);
const SMALL_SOURCES = ['engine', 'small'].map((name) => `examples/device/${name}.c`);
const WASM2C = '1.0.32';
const MOST_BYTES = 96 * 1024;

/** What a tool prints, or undefined without the tool. */
function answer(tool, ...args) {
  const { status, stdout } = spawnSync(tool, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Why nothing can be built here, or null. */
export function missingTool() {
  if (process.platform !== 'linux') return `needs Linux, this is ${process.platform}`;
  const version = answer('wasm2c', '--version');
  if (version === undefined) return 'no wasm2c (Debian: wabt)';
  // Names and runtime of the translated code change from version to version.
  if (version !== WASM2C) return `wasm2c is ${version}; the host is written for ${WASM2C}, that of Debian 12`;
  return compiler() === undefined ? 'no C compiler (Debian: musl-tools, or gcc)' : null;
}

/** musl where it is installed, static either way. */
function compiler() {
  return ['musl-gcc', 'gcc'].find((tool) => answer(tool, '--version') !== undefined);
}

function run(tool, ...args) {
  const { status, stderr, error } = spawnSync(tool, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${error?.message ?? stderr.slice(0, 2000)}`);
}

/** wasm-rt.h alone: it also stands beside the headers of glibc, which are not those of musl. */
const RUNTIME = '/usr/src/wasm2c';
const FLAGS = [
  ...['-std=gnu11', '-Os', '-static', '-s', '-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections'],
  // Rounding is the engine's: nothing may be contracted.
  ...['-ffp-contract=off', '-fno-asynchronous-unwind-tables', '-Wl,--build-id=none', '-Wl,-z,norelro'],
  // Bounds are checked in the code: no signal handlers, and no guard pages of gigabytes.
  ...['-DNDEBUG', '-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0', '-DWASM_RT_USE_STACK_DEPTH_COUNT=0'],
];

function compile(folder, ...args) {
  run(compiler(), ...FLAGS, `-I${folder}`, '-Iexamples/device', `-I${RUNTIME}`, ...args);
}

/** Writes the baseline engine in C to a folder, and compiles it. */
function translate(folder) {
  mkdirSync(folder, { recursive: true });
  run('wasm2c', 'dist/badness.baseline.wasm', '-n', 'badness', '-o', `${folder}/badness.c`);
  // What the translator writes is not warning-free, and is none of ours.
  compile(folder, '-w', '-c', `${folder}/badness.c`, '-o', `${folder}/badness.o`);
}

/** Compiles `sources` with the engine that buildDevice has put into the folder. The path of the program. */
export function compileNative(folder, program, sources) {
  const path = `${folder}/${program}`;
  const strict = ['-Wall', '-Wextra', '-Wno-sign-compare', '-Werror'];
  compile(folder, ...strict, ...sources, `${folder}/badness.o`, '-lm', '-o', path);
  return path;
}

export async function buildDevice(folder = 'build/device') {
  const stale = await staleHeader();
  if (stale) throw new Error(stale);
  translate(folder);
  const tool = compiler();
  const built = (name, sources) => {
    const path = compileNative(folder, name, sources);
    const bytes = statSync(path).size;
    if (tool === 'musl-gcc' && bytes > MOST_BYTES)
      throw new Error(`${path} must be at most ${MOST_BYTES} bytes, is ${bytes}`);
    return { path, bytes, tool };
  };
  return { ...built('badness-device', SOURCES), small: built('badness-small', SMALL_SOURCES) };
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const missing = missingTool();
  if (missing) console.log(`skipped: ${missing}`);
  else {
    const { small, ...device } = await buildDevice(process.argv[2]);
    for (const { path, bytes, tool } of [device, small]) console.log(`${path}: ${bytes} bytes, static, by ${tool}`);
  }
}
