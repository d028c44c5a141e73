// Runs the specs of the engine's own functions: one compile and one run for all tests/assembly/**/*.spec.ts, or for those
// whose path contains one of the arguments. Exits 1 when a spec fails, and when no test ran.
import { readdirSync } from 'node:fs';
import { TestContext, VerboseReporter } from '@as-pect/core';
import { instantiateSync } from '@assemblyscript/loader';
import asc from 'assemblyscript/asc';

const ROOT = 'tests/assembly';
// Regions of assembly/layout.ts keep their addresses, so the specs' own strings and heap start above the tables of a few thousand tasks.
const MEMORY_BASE = 16 << 20;
const PAGES_INITIAL = 512;
const PAGES_MAX = 2048;

const filters = process.argv.slice(2);
const specs = readdirSync(ROOT, { recursive: true })
  .map((file) => `${ROOT}/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.spec.ts') && (filters.length === 0 || filters.some((part) => file.includes(part))))
  .sort();

const LIBRARY = 'node_modules/@as-pect/assembly/assembly/index.ts';
let binary;
const { error } = await asc.main(
  // `none` is no file: without a name asc would read the asconfig.json of the engine. The specs run what is released, optimised.
  [
    ...specs,
    LIBRARY,
    '--config',
    'none',
    '--outFile',
    'specs.wasm',
    '-O2',
    '--debug',
    '--exportTable',
    '--exportRuntime',
  ]
    .concat(['--exportStart', '_start', '--importMemory', '--sharedMemory', '--enable', 'simd,threads'])
    .concat([
      '--memoryBase',
      `${MEMORY_BASE}`,
      '--initialMemory',
      `${PAGES_INITIAL}`,
      '--maximumMemory',
      `${PAGES_MAX}`,
    ]),
  {
    stdout: process.stdout,
    stderr: process.stderr,
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents;
    },
  },
);
if (error) throw error;

const reporter = new VerboseReporter({});
reporter.stdout = process.stdout;
reporter.stderr = process.stderr;
const context = new TestContext({ binary, fileName: ROOT, reporter });
const memory = new WebAssembly.Memory({ initial: PAGES_INITIAL, maximum: PAGES_MAX, shared: true });
context.run(instantiateSync(binary, context.createImports({ env: { memory } })));

console.log(`as-pect: ${specs.length} files, ${context.testPassCount} of ${context.testCount} tests passed`);
if (context.testCount === 0) console.error(`as-pect: no test ran in ${ROOT}${filters.length ? ` for ${filters}` : ''}`);
process.exitCode = context.pass && context.testCount > 0 ? 0 : 1;
