/** The rules of the tree, kept by reading it: sizes, import direction, first lines, the layout file. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import * as L from '../assembly/layout.js';

const LINES_MAX = 300;
const FUNCTION_LINES_MAX = 60;

function sources(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true })
    .map((file) => join(root, String(file)))
    .filter((file) => /\.(ts|mjs)$/.test(file) && !file.endsWith('.d.ts'));
}

const engine = sources('assembly');
const host = sources('src');
const all = [...engine, ...host, ...sources('tests'), ...sources('scripts')];
const text = new Map(all.map((file) => [file, readFileSync(file, 'utf8')]));

/** Files that a file imports, type imports included, and the names of packages. */
function imports(file: string): string[] {
  const found = [...text.get(file)!.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name!);
  return found.map((name) => (name.startsWith('.') ? resolve(file, name) : name));
}

function resolve(file: string, name: string): string {
  const path = normalize(join(dirname(file), name)).replace(/\.js$/, '');
  return text.has(`${path}.ts`) ? `${path}.ts` : path;
}

/** The values that a module needs when it runs: type-only imports cost nothing. */
function runtimeImports(file: string): string[] {
  const code = text.get(file)!.replace(/^(import|export) type [\s\S]*?;$/gm, '');
  const found = [...code.matchAll(/^(?:import|export)\b[^;]*?from\s*'([^']+)'|import\('([^']+)'\)/gm)];
  return found.map(([, a, b]) => a ?? b!).map((name) => (name.startsWith('.') ? resolve(file, name) : name));
}

/** Lines of every function and method, by the indentation of its closing brace. */
function functionLengths(code: string): { name: string; lines: number }[] {
  const lines = code.split('\n');
  const lengths: { name: string; lines: number }[] = [];
  lines.forEach((line, start) => {
    const head = /^( *)(?:export )?(?:async )?(?:static )?(?:private )?(?:async )?(?:function\*? )?(\w+)\(.*\{$/.exec(
      line,
    );
    if (!head || /^\s*(if|for|while|switch|catch|describe|test|it)\b/.test(line)) return;
    const end = lines.findIndex((other, at) => at > start && other.startsWith(`${head[1]}}`));
    if (end > start) lengths.push({ name: head[2]!, lines: end - start + 1 });
  });
  return lengths;
}

test(`tidy: no source file has more than ${LINES_MAX} lines`, () => {
  const long = all.filter((file) => text.get(file)!.split('\n').length - 1 > LINES_MAX && !LONG_FILES.has(file));
  assert.deepEqual(long, []);
});

/** layout.ts is the one place of every number, and is longer for it. */
const LONG_FILES = new Set(['assembly/layout.ts']);

test(`tidy: no function has more than ${FUNCTION_LINES_MAX} lines`, () => {
  const long = all.flatMap((file) =>
    functionLengths(text.get(file)!)
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
      .map(({ name, lines }) => `${file}: ${name} has ${lines}`),
  );
  assert.deepEqual(long, []);
});

test('tidy: every source file of engine and host says its stage first', () => {
  const silent = [...engine, ...host].filter(
    (file) => !file.endsWith('index.ts') && !/^(#!.*\n)?\/[/*][\s*]*(Stage:)/.test(text.get(file)!),
  );
  // layout.ts and the entry points say what they are in words of their own.
  assert.deepEqual(silent, []);
});

test('tidy: no file is called by what it is not about', () => {
  const vague = all.filter((file) => /(^|\/)(utils?|helpers?|common|misc|types)\.(ts|mjs)$/.test(file));
  assert.deepEqual(vague, []);
});

test('tidy: the engine imports the engine only', () => {
  const strangers = engine.flatMap((file) => imports(file).filter((name) => !name.startsWith('assembly')));
  assert.deepEqual(strangers, []);
});

/** Every file that an entry brings along, and what it needs that is none of ours. */
function reachable(entry: string): { seen: Set<string>; outside: Set<string> } {
  const seen = new Set<string>();
  const outside = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const name of runtimeImports(file)) {
      if (text.has(name)) visit(name);
      else if (!name.endsWith('.wasm')) outside.add(name);
    }
  };
  visit(entry);
  return { seen, outside };
}

/** Bundled packages that need nothing but the language. */
const BUNDLED = ['@assemblyscript/loader', 're2js', 'smol-toml'];

test('tidy: nothing reachable from an entry for browsers imports node:', () => {
  for (const room of ['policy', 'guard', 'registered', 'report', 'recording', 'simulate', 'plugin', 'playground']) {
    const { seen, outside } = reachable(`src/${room}/index.ts`);
    assert.deepEqual(
      [...outside].filter((name) => !BUNDLED.includes(name)),
      [],
      room,
    );
    assert.ok(seen.size > 5, `the walk of ${room} went somewhere`);
    assert.ok(![...seen].some((file) => file.startsWith('src/linux/')), room);
  }
});

test('tidy: nothing reachable from the public entry imports node: or a package but the loader', () => {
  const { seen, outside } = reachable('src/index.ts');
  assert.deepEqual([...outside], ['@assemblyscript/loader']);
  assert.ok(seen.has('src/engine.ts'), 'the walk reached the engine');
  assert.deepEqual(
    [...seen].filter((file) => /^src\/(linux|cli)\//.test(file)),
    [],
  );
});

test('tidy: reports stand on the public API and that of policies: whatever else they took would cut its chunks smaller', () => {
  const own = host.filter((file) => file.startsWith('src/report/'));
  const breaches = own.flatMap((file) =>
    imports(file)
      .filter((name) => !/^src\/(policy\/)?index\.ts$/.test(name) && !name.startsWith('src/report/'))
      .map((name) => `${file} imports ${name}`),
  );
  assert.ok(own.length > 10);
  assert.deepEqual(breaches, []);
});

test('tidy: a library that few need is loaded when it is needed', () => {
  const loaders = { 'smol-toml': 'src/policy/toml.ts', re2js: 'src/policy/regular-expression.ts' };
  for (const [library, loader] of Object.entries(loaders)) {
    const users = host.filter((file) => imports(file).includes(library));
    assert.deepEqual(users, [loader]);
    const statically = new RegExp(
      `^(import|export)\\b[^;]*?from '\\./${loader.slice('src/policy/'.length, -3)}\\.js'`,
      'm',
    );
    assert.deepEqual(
      host.filter((file) => statically.test(text.get(file)!)),
      [],
    );
  }
});

test('tidy: only src/linux, the CLI and what connects a fleet import node:', () => {
  const breaches = host.filter(
    (file) =>
      !/^src\/(linux|cli|guard|control|fleet\/live)\//.test(file) &&
      imports(file).some((name) => name.startsWith('node:')),
  );
  assert.deepEqual(breaches, []);
});

test('tidy: the clients of NATS are loaded in one place, when a fleet needs them, and no other room knows of fleets', () => {
  const isNats = (name: string) => name.startsWith('@nats-io/');
  const users = host.filter((file) =>
    /\bimport\('@nats-io/.test(text.get(file)!.replace(/typeof import\([^)]*\)/g, '')),
  );
  assert.deepEqual(users, ['src/fleet/live/packages.ts']);
  const strangers = host.filter(
    (file) => !file.startsWith('src/fleet/') && imports(file).some((name) => name.startsWith('src/fleet/')),
  );
  // The command line comes to it by import() alone: whoever has no fleet loads nothing of it.
  assert.deepEqual(
    strangers.filter(
      (file) => !file.startsWith('src/cli/') || /^import (?!type)[^;]*'\.\.\/fleet\//m.test(text.get(file)!),
    ),
    [],
  );
  const statically = host.filter((file) => /^import (?!type)[^;]*'@nats-io/m.test(text.get(file)!));
  assert.deepEqual(statically, []);
  const pure = host.filter((file) => /^src\/fleet\/(?!index)[^/]+\.ts$/.test(file));
  assert.ok(pure.length > 8);
  assert.deepEqual(
    pure.filter((file) => imports(file).some((name) => name.startsWith('src/fleet/live/') || isNats(name))),
    [],
  );
});

test('tidy: docs/architecture.md has every folder of src', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const rooms = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const unlisted = rooms.map(({ name }) => `src/${name}/`).filter((room) => !page.includes(`| \`${room}\` |`));
  assert.ok(rooms.length > 10);
  assert.deepEqual(unlisted, []);
});

test('tidy: every test that SECURITY.md names is there', () => {
  const page = readFileSync('SECURITY.md', 'utf8');
  const lines = page.split('\n').filter((line) => line.startsWith('- "'));
  const named = lines.flatMap((line) => {
    const [, file = ''] = /\(`(tests\/[\w/.-]+\.test\.ts)`\)$/.exec(line) ?? [];
    return [...line.matchAll(/"([^"]+)"/g)].map(([, name]) => [file, name!] as const);
  });
  const missing = named.filter(([file, name]) => !text.get(file)?.includes(name));
  assert.ok(named.length > 40);
  assert.deepEqual(missing, []);
});

test('tidy: the CLI uses the public API only', () => {
  const allowed = (name: string) =>
    name.startsWith('node:') ||
    name.startsWith('src/cli/') ||
    /^src\/(\w+\/)?index\.ts$/.test(name) ||
    name.endsWith('package.json');
  const breaches = host
    .filter((file) => file.startsWith('src/cli/'))
    .flatMap((file) =>
      imports(file)
        .filter((name) => !allowed(name))
        .map((name) => `${file} imports ${name}`),
    );
  assert.deepEqual(breaches, []);
});

/** What people read is worded once, for terminals and for the page. */
const WORDS = ['names', 'quantities', 'words', 'steps', 'report-facts'].map((name) => `src/cli/${name}.ts`);

test('tidy: the playground uses the public API, the words of the CLI and one library, and runs without node:', () => {
  const allowed = (name: string) =>
    /^src\/(\w+\/)?index\.ts$/.test(name) ||
    name.startsWith('src/playground/') ||
    WORDS.includes(name) ||
    name === 'uplot';
  const own = host.filter((file) => file.startsWith('src/playground/'));
  const breaches = own.flatMap((file) =>
    imports(file)
      .filter((name) => !allowed(name))
      .map((name) => `${file} imports ${name}`),
  );
  assert.ok(own.length > 10);
  assert.deepEqual(breaches, []);
  for (const entry of ['main', 'worker', 'index']) {
    const { outside } = reachable(`src/playground/${entry}.ts`);
    assert.deepEqual(
      [...outside].filter((name) => ![...BUNDLED, 'uplot'].includes(name)),
      [],
    );
  }
});

test('tidy: the playground makes no HTML of text', () => {
  const makers = host.filter((file) => /innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(text.get(file)!));
  assert.deepEqual(makers, []);
});

test('tidy: exports have names', () => {
  const unnamed = [...engine, ...host].filter((file) => /^export default/m.test(text.get(file)!));
  // A chunk that is only bytes has nothing else to export.
  assert.deepEqual(unnamed, ['src/engine-baseline.ts']);
});

test('tidy: layout.ts holds integer expressions and nothing else', () => {
  const code = text.get('assembly/layout.ts')!.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const other = code
    .split('\n')
    .filter((line) => line.trim() && !/^export const [A-Z][A-Z0-9_]* = [-\w\s*+/%()<]+;$/.test(line.trim()));
  assert.deepEqual(other, []);
  for (const [name, value] of Object.entries(L))
    assert.ok(Number.isSafeInteger(value) || value === 2 ** 53 || value === 2 ** 54, name);
});

test('tidy: the regions of the memory stand in order, aligned, and do not overlap', () => {
  const starts = [0, L.DOMAINS, L.LISTENERS, L.QUEUE, L.PROTECTED, L.VICTIMS, L.DECISIONS, L.WINDOWS, L.TASKS];
  const ends = [
    L.HEADER_BYTES,
    L.DOMAINS + L.DOMAINS_MAX * L.DOMAIN_BYTES,
    L.LISTENERS + L.LISTENERS_MAX * L.LISTENER_BYTES,
    L.QUEUE + 2 * L.QUEUE_BUFFER_BYTES,
    L.PROTECTED + L.PROTECTED_MAX * L.PROTECTED_ENTRY_BYTES,
    L.VICTIMS + L.VICTIMS_MAX * L.VICTIM_BYTES,
    L.DECISIONS + L.DECISIONS_MAX * L.DECISION_BYTES,
    L.WINDOWS + L.THREADS_MAX * L.WINDOW_BYTES,
  ];
  for (const [index, end] of ends.entries()) assert.equal(end, starts[index + 1], `region ${index}`);
  for (const start of starts) assert.equal(start % L.COLUMN_ALIGN, 0, `region at ${start}`);
  assert.equal(L.REGISTRATIONS + L.REGISTRATIONS_MAX * 8, L.QUEUE, 'counters and registrations fill their region');
  assert.ok(L.W_DECISION + L.DECISION_BYTES <= L.W_TEXT, 'the cells of a window end before its text');
  assert.ok(L.R_ORDER + L.RUNNERS_UP_MAX * L.ORDER_BYTES <= L.DECISION_BYTES, 'the order ends within its record');
});
