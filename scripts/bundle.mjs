// One way to bundle programs of the tests and the benches for Node: TypeScript as it is, packages left to Node, the engine inlined.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import { inlineWasm } from './inline-wasm.mjs';

/** Bundles programs into a folder, which is emptied before. `more`: other options of esbuild. */
export async function bundlePrograms(entryPoints, outdir, more = {}) {
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints,
    bundle: true,
    splitting: true,
    format: 'esm',
    packages: 'external',
    platform: 'node',
    target: 'node20',
    plugins: [inlineWasm],
    outdir,
    sourcemap: 'inline',
    logLevel: 'warning',
    ...more,
  });
}
