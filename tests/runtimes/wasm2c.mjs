// Builds the engine as native code, runs the suites on it and prints what came of them, with its decision records:
// `wasm2c.mjs FOLDER`, where asks.json is. The last line is JSON.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { inlineWasm } from '../../scripts/inline-wasm.mjs';
import { buildNative, runSuites } from '../../scripts/native-host.mjs';

const PROGRAM = 'build/native/records.mjs';

const engine = await buildNative();
await build({
  entryPoints: ['tests/runtimes/native-records.ts'],
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  plugins: [inlineWasm],
  outfile: PROGRAM,
});
const env = { ...process.env, BADNESS_NATIVE_ENGINE: resolve(engine) };
const limits = { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 };
const { status, stdout } = spawnSync(process.execPath, [PROGRAM, process.argv[2]], limits);
if (status !== 0) throw new Error(`${PROGRAM} ended with ${status}`);
const { ok, passed, output } = runSuites(engine);
const tests = passed.map((name) => ({ suite: 'native', name, error: null, skipped: null }));
if (!ok) tests.push({ suite: 'native', name: 'all', error: output.slice(-2000), skipped: null });
console.log(JSON.stringify({ ...JSON.parse(stdout), tests }));
