// Compiles tests/fuzz into build/fuzz/ and runs it; options are said in docs/fuzzing.md. Wants dist/ built.
import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';
import { inlineWasm } from './inline-wasm.mjs';

await build({
  entryPoints: ['tests/fuzz/main.ts'],
  bundle: true,
  splitting: true,
  format: 'esm',
  packages: 'external',
  platform: 'node',
  target: 'node20',
  plugins: [inlineWasm],
  outdir: 'build/fuzz',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const run = spawnSync(process.execPath, ['--enable-source-maps', 'build/fuzz/main.js', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = run.status ?? 1;
