// Builds the engine as native code and prints its decision records: `wasm2c.mjs FOLDER`, where asks.json is. One line of JSON.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { inlineWasm } from '../../scripts/inline-wasm.mjs';
import { buildNative } from '../../scripts/native-host.mjs';

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
const { status } = spawnSync(process.execPath, [PROGRAM, process.argv[2]], { env, stdio: 'inherit' });
process.exitCode = status ?? 1;
