// Compiles the scheme: `node examples/scheme-assemblyscript/build.mjs [OUT.wasm]`. Wants assemblyscript (npm install assemblyscript).
import { execFileSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const asc = join(dirname(fileURLToPath(import.meta.resolve('assemblyscript'))), '../bin/asc.js');
const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? 'scheme.wasm');
// No imports: abort becomes a trap. A memory with an end: 1024 pages of 64 KiB are the most that badness takes.
const free = ['--runtime', 'stub', '--use', 'abort='];
const memory = ['--initialMemory', '1', '--maximumMemory', '1024'];
const options = [...free, ...memory, '-O3', '--noAssert'];
execFileSync(process.execPath, [asc, 'scheme.ts', '--outFile', out, ...options], { stdio: 'inherit', cwd: here });
