// The part of prom-client that src/control/metrics.ts uses, as one file of its own beside the bundles: the whole of it brings a
// cluster, a push gateway and t-digests, and what esbuild needs for CommonJS would end up in a chunk that every entry loads.
import { build } from 'esbuild';

const FILE = './prom-client.js';
const NAMES = { Counter: 'counter', Gauge: 'gauge', Registry: 'registry' };

/**
 * Leaves `prom-client` to that file.
 * @type {import('esbuild').Plugin}
 */
export const promClientApart = {
  name: 'prom-client-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^prom-client$/ }, () => ({ path: FILE, external: true }));
  },
};

/** It requires `util` by its old name, which an ES module can only import. */
const nodeUtil = {
  name: 'node-util',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^util$/ }, () => ({ path: 'util', namespace: 'node-util' }));
    onLoad({ filter: /./, namespace: 'node-util' }, () => ({
      contents: `export { format, inspect } from 'node:util';`,
    }));
  },
};

/** Writes the file. `common` is how the other bundles are made. */
export function buildPromClient(common) {
  const names = Object.entries(NAMES);
  const contents = names.map(([name, file]) => `export { default as ${name} } from 'prom-client/lib/${file}.js';`);
  return build({
    ...common,
    platform: 'neutral',
    mainFields: ['main'],
    splitting: false,
    plugins: [nodeUtil],
    stdin: { contents: contents.join('\n'), resolveDir: '.', sourcefile: 'prom-client.js' },
    outdir: undefined,
    outfile: 'dist/prom-client.js',
  });
}
