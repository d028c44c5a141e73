// Compiles tests/fuzz into build/fuzz/ and runs it; options are said in docs/fuzzing.md. Wants dist/ built.
import { spawnSync } from 'node:child_process';
import { bundlePrograms } from './bundle.mjs';

await bundlePrograms(['tests/fuzz/main.ts'], 'build/fuzz');
const run = spawnSync(process.execPath, ['--enable-source-maps', 'build/fuzz/main.js', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = run.status ?? 1;
