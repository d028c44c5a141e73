// Makes the one suite that every runtime runs: the tests of the engine, with what only Node has replaced, on the packed package.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { build } from 'esbuild';

/** Suites, by the file of their tests. Those that are not there yet are left out, and named. */
const SUITES = ['vectors', 'select', 'queue', 'gate', 'token', 'decision', 'replay'];

/** Sources that the package offers, by the entry that does: everything else of a test is its own tool. */
const PACKED = {
  'src/index.ts': 'badness',
  'src/engine.ts': 'badness',
  'src/errors.ts': 'badness',
  'src/decision.ts': 'badness/guard',
  'src/domains.ts': 'badness/guard',
  'src/gate.ts': 'badness/guard',
  'src/queue.ts': 'badness/guard',
  'src/token.ts': 'badness/guard',
  'src/policy/index.ts': 'badness/policy',
  'src/recording/index.ts': 'badness/recording',
  'src/registered/index.ts': 'badness/registered',
  'src/report/index.ts': 'badness/report',
  'src/simulate/index.ts': 'badness/simulate',
};

const RECORDINGS = readdirSync('tests/fixtures')
  .filter((name) => name.endsWith('.proc'))
  .map((name) => `tests/fixtures/${name}`);

/** Files that tests read, below the root of the repository; those below dist/ come from the package. */
export const FILES = [
  'dist/badness.wasm',
  'dist/badness.baseline.wasm',
  'examples/evening.ndjson',
  ...RECORDINGS,
  'scenarios/leaking-server.toml',
  'tests/vectors/gate-2.6.10.json',
  'tests/vectors/kmsg-6.18-memcg.txt',
  'tests/vectors/procoom-parse.json',
];

/** The same random tables everywhere, and no engine but the two of the package. */
const DEFINED = {
  'process.env.FC_SEED': '"2004"',
  'process.env.FC_RUNS': '"40"',
  'process.env.BADNESS_NATIVE_ENGINE': 'undefined',
};

const testFile = (suite) => `tests/src/${suite}.test.ts`;

export const suites = SUITES.filter((suite) => existsSync(testFile(suite)));
export const missingSuites = SUITES.filter((suite) => !suites.includes(suite));

/** The engine as a process is asked by a script of its own (scripts/native-host.mjs). */
const NO_PROCESS = {
  'tests/src/support/native-build.ts': 'no-native-build.ts',
  'tests/src/support/native-engine.ts': 'no-native-build.ts',
};

const STANDS_IN = {
  'node:test': 'test-runner.ts',
  'node:assert/strict': 'assertions.ts',
  'node:fs': 'given-files.ts',
};

/** @type {import('esbuild').Plugin} */
const everywhere = {
  name: 'everywhere',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, importer }) => {
      if (STANDS_IN[path]) return { path: resolve('tests/runtimes', STANDS_IN[path]) };
      return { errors: [{ text: `${importer} wants ${path}, which browsers do not have: it cannot be in the suite` }] };
    });
    onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
      const source = relative('.', resolve(resolveDir, path)).replace(/\.js$/, '.ts');
      if (source in NO_PROCESS) return { path: resolve('tests/runtimes', NO_PROCESS[source]) };
      return source in PACKED ? { path: PACKED[source], external: true } : undefined;
    });
    onResolve({ filter: /^suites$/ }, () => ({ path: 'suites', namespace: 'suites' }));
    onLoad({ filter: /./, namespace: 'suites' }, () => ({ contents: collector(), resolveDir: resolve('.') }));
  },
};

function collector() {
  const lines = suites.map((suite) => `await collect('${suite}', () => import('./${testFile(suite)}'));`);
  return `import { collect } from './tests/runtimes/test-runner.ts';
    export async function collectSuites() { ${lines.join('\n')} }`;
}

/** Writes the suite to `outfile`, an ES module that exports runSuite. */
export async function bundleSuite(outfile) {
  await build({
    entryPoints: ['tests/runtimes/suite.ts'],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    define: DEFINED,
    plugins: [everywhere],
    outfile,
    logLevel: 'warning',
  });
}

/** Names, programs, users and cgroups, so that rules read what recordings have of each. */
const RULES = [
  { comm: 'task3', times: '1/2' },
  { cgroup: '*group*', user: 0, class: 'first', least: '8MiB' },
  { cmdline: '*word7*', never: true },
];

function tellsOfMemory(memory) {
  try {
    memory.read();
    return true;
  } catch {
    return false;
  }
}

/** Every snapshot of every recording that tells of memory, by every scheme and by rules. */
async function recordingAsks(schemes) {
  const { parseRecording, RecordedFiles, RecordedMemory } = await import('../../dist/recording.js');
  const policies = [...schemes.map((scheme) => ({ scheme })), { rules: RULES }];
  const asks = [];
  for (const file of RECORDINGS) {
    const files = new RecordedFiles(parseRecording(readFileSync(file, 'utf8')));
    const memory = new RecordedMemory(files);
    for (const snapshot of files.recording.snapshots.keys()) {
      files.moveTo(snapshot);
      if (!tellsOfMemory(memory)) continue;
      for (const policy of policies) {
        const name = `${file}, snapshot ${snapshot}, by ${policy.scheme ?? 'rules'}`;
        asks.push({ name, file, snapshot, policy });
      }
    }
  }
  return asks;
}

/** What to decide on: an evening by every scheme, the random tables of the vectors by their own, and recordings. */
export async function recordAsks() {
  const { SCHEMES } = await import('../../dist/index.js');
  const evening = readFileSync('examples/evening.ndjson', 'utf8');
  const asks = SCHEMES.map((scheme) => ({ name: `evening by ${scheme}`, scheme, lines: evening }));
  const { tables } = JSON.parse(readFileSync('tests/vectors/own-schemes.json', 'utf8'));
  tables.forEach(({ scheme, hz, page_size, uptime_s, max_discount, age, total_pages, tasks }, index) => {
    const header = { schema: 1, hz, page_size, uptime_s, max_discount, age, total_pages };
    const lines = [header, ...tasks].map((line) => JSON.stringify(line)).join('\n');
    asks.push({ name: `own-schemes.json, table ${index}`, scheme, lines });
    asks.push({ name: `own-schemes.json, table ${index} as the kernel`, scheme: 'linux-5.9', lines });
  });
  return [...asks, ...(await recordingAsks(SCHEMES))];
}
