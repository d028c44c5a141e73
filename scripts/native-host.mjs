// The engine as native code: builds the device host, and runs the suites of the engine on wasm2c's translation as a third build beside
// the two releases. Ends with 0 when all passed, 1 otherwise; prints "skipped: …" where a tool is missing.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildDevice, compileNative, missingTool } from './device.mjs';

const FOLDER = 'build/native';
/** Test files that go through every build, and the test of the device host. */
const SUITES = [
  'src/vectors',
  'src/select',
  'src/simd',
  'src/gate',
  'src/queue.test',
  'src/token.test',
  'src/parsers',
  'src/replay.test',
  'src/device',
];

/** A line for each function: its arguments as the declaration of wasm2c has them. */
function functions() {
  const header = readFileSync(`${FOLDER}/badness.h`, 'utf8');
  const lines = [...header.matchAll(/^u32 Z_badnessZ_(\w+)\(Z_badness_instance_t\*(.*)\);$/gm)].map(
    ([, name, types]) => {
      const given = types.split(', ').slice(1);
      return `F(${[name, 'e', ...given.map((type, index) => `a[${index}].${type === 'f64' ? 'f' : 'i'}`)].join(', ')})`;
    },
  );
  return `${lines.join('\n')}\n`;
}

/** Builds both programs. Returns the path of the engine for the tests. */
export async function buildNative() {
  const { path, bytes } = await buildDevice(FOLDER);
  console.log(`${path}: ${bytes} bytes`);
  writeFileSync(`${FOLDER}/functions.h`, functions());
  return compileNative(FOLDER, 'engine', ['tests/native/engine.c', 'examples/device/engine.c']);
}

/** The suites on that engine: whether they passed, the names of those tests that asked it, and all that was printed. */
export function runSuites(engine) {
  const env = { ...process.env, BADNESS_NATIVE_ENGINE: resolve(engine) };
  const { status, stdout } = spawnSync(process.execPath, ['scripts/test.mjs', ...SUITES], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 28,
  });
  const passed = Array.from(stdout.matchAll(/^ *✔ (.*native.*) \([\d.]+ms\)$/gm), ([, name]) => name);
  // A run in which nobody asked the native engine proves nothing.
  return { ok: status === 0 && passed.length > 0, passed, output: stdout };
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const missing = missingTool();
  if (missing) console.log(`skipped: ${missing}`);
  else {
    const { ok, passed, output } = runSuites(await buildNative());
    console.log(ok ? `native: ${passed.length} tests and suites passed` : output);
    process.exitCode = ok ? 0 : 1;
  }
}
