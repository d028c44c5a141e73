// Builds dist/ from the sources: the two engines, the check of their binaries, the bundles, the types.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { buildPlayground } from './build-playground.mjs';
import { checkWasm } from './check-wasm.mjs';
import { inlineWasm } from './inline-wasm.mjs';
import { buildPromClient, promClientApart } from './prom-client.mjs';
import { pruneTypes } from './prune-types.mjs';
import { squeeze } from './squeeze.mjs';

const run = (file, ...args) => execFileSync(process.execPath, [file, ...args], { stdio: 'inherit' });

// What an earlier build left would be packed with this one.
rmSync('dist', { recursive: true, force: true });
mkdirSync('dist', { recursive: true });
for (const target of ['shared', 'baseline']) run('node_modules/assemblyscript/bin/asc.js', '--target', target);
squeeze('dist/badness.wasm', 'shared');
squeeze('dist/badness.baseline.wasm', 'baseline');
checkWasm('dist/badness.wasm', 'shared');
checkWasm('dist/badness.baseline.wasm', 'baseline');

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  keepNames: false,
  legalComments: 'none',
  plugins: [inlineWasm, promClientApart],
  outdir: 'dist',
  splitting: true,
  chunkNames: 'chunk-[hash]',
  external: ['node:*', 'koffi', '@nats-io/*'],
};
// One call for all entries, so that the engine is one chunk of its own and dist/linux.js shares it.
await build({
  ...common,
  platform: 'neutral',
  entryPoints: {
    index: 'src/index.ts',
    policy: 'src/policy/index.ts',
    guard: 'src/guard/index.ts',
    registered: 'src/registered/index.ts',
    workers: 'src/guard/worker-tasks.ts',
    linux: 'src/linux/index.ts',
    report: 'src/report/index.ts',
    recording: 'src/recording/index.ts',
    simulate: 'src/simulate/index.ts',
  },
});
// Threads load everything anew anyway: among the entries above they would only cut the chunks of the library smaller.
await build({
  ...common,
  platform: 'neutral',
  entryPoints: {
    'guard-worker': 'src/linux/guard-worker.ts',
    'ranker-worker': 'src/linux/ranker-worker.ts',
    'plugin-worker': 'src/linux/plugin-worker.ts',
    'fleet-worker': 'src/fleet/live/fleet-worker.ts',
    'evaluator-worker': 'src/fleet/live/evaluator-worker.ts',
    // Small, and for few: what it shares with the others it has once more.
    plugins: 'src/plugin/index.ts',
    fleet: 'src/fleet/index.ts',
    playground: 'src/playground/index.ts',
  },
});
/** The command line is built on the entries as they are shipped: it can use nothing else. */
const publicEntries = {
  name: 'public-entries',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.\/(\w+\/)?index\.js$/ }, ({ path }) => {
      const [, room = 'index'] = /^\.\.\/(?:(\w+)\/)?index/.exec(path);
      // The control server is a part of badness/linux.
      return { path: `./${room === 'control' ? 'linux' : room}.js`, external: true };
    });
  },
};
for (const entryPoints of [{ cli: 'src/cli/main.ts' }, { 'whatif-worker': 'src/cli/whatif-worker.ts' }]) {
  await build({ ...common, platform: 'neutral', plugins: [publicEntries], entryPoints });
}
await buildPromClient(common);
// The manual page is made from the same tables as the help texts.
const pageMaker = 'dist/man-page.js';
await build({
  ...common,
  ...{ splitting: false, outdir: undefined, outfile: pageMaker },
  platform: 'neutral',
  plugins: [publicEntries],
  entryPoints: ['src/cli/man.ts'],
});
const { manPage } = await import(`../${pageMaker}`);
rmSync(pageMaker);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const { SOURCE_DATE_EPOCH } = process.env;
const built = SOURCE_DATE_EPOCH ? new Date(SOURCE_DATE_EPOCH * 1000) : new Date();
writeFileSync('dist/badness.1', manPage({ version, date: built.toISOString().slice(0, 10) }));
await buildPlayground(common);
chmodSync('dist/cli.js', 0o755);
const { policySchema } = await import('../dist/policy.js');
const { casesSchema, scenarioSchema } = await import('../dist/simulate.js');
const schemas = {
  badness: policySchema(readFileSync('docs/policy.md', 'utf8')),
  scenario: scenarioSchema(readFileSync('docs/simulation.md', 'utf8')),
  cases: casesSchema(readFileSync('docs/policy-tests.md', 'utf8')),
};
for (const [name, schema] of Object.entries(schemas)) {
  writeFileSync(`dist/${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`);
}
const types = ['--noEmit', 'false', '--emitDeclarationOnly', '--declaration', '--outDir', 'dist/types'];
run('node_modules/typescript/bin/tsc', ...types, '-p', 'tsconfig.build.json');
pruneTypes('dist/types', JSON.parse(readFileSync('package.json', 'utf8')).exports);
