// Prints what the built files weigh when they are compressed, and fails above the allowance.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const KIB = 1024;
/** Of the finished library (all issues), in bytes of gzip -9. */
const ENGINE_BYTES = 6 * KIB;
const ENTRY_BYTES = 16 * KIB;
const PLAYGROUND_BYTES = 120 * KIB;
/** What the playground loads when somebody asks for it or brings what needs it: a policy, a log, a recording, records. */
const LATER = /^(regular-expression|toml|policy-desk|log-story|record-story|tasks-story)-|\.txt$/;

const weigh = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** A module and every file that it imports statically. */
function staticImports(path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  // Built files are minified: an import or a re-export is `from"…"` or `import"…"`, a dynamic one has a parenthesis.
  for (const [, target] of readFileSync(path, 'utf8').matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+)"/g)) {
    staticImports(join(dirname(path), target), seen);
  }
  return seen;
}

/** All that the playground loads until its first scenario is on the screen; the browser test counts what is really fetched. */
function playground() {
  const root = 'dist/playground';
  const entries = readdirSync(root).filter((file) => !LATER.test(file) && !file.startsWith('chunk-'));
  const files = entries.map((file) => `${root}/${file}`);
  const scripts = files.filter((file) => file.endsWith('.js')).flatMap((file) => [...staticImports(file)]);
  return [...new Set([...files, ...scripts])];
}

function sum(files) {
  return files.reduce((bytes, file) => bytes + weigh(readFileSync(file)), 0);
}

/** Every weight with its allowance, in bytes. */
export function sizes() {
  const engine = (path) => ({ name: path, files: [path], bytes: weigh(readFileSync(path)), allowed: ENGINE_BYTES });
  const files = [...staticImports('dist/index.js')];
  const page = playground();
  return [
    engine('dist/badness.wasm'),
    engine('dist/badness.baseline.wasm'),
    { name: 'dist/index.js with what it imports', files, bytes: sum(files), allowed: ENTRY_BYTES },
    { name: 'dist/playground, first load', files: page, bytes: sum(page), allowed: PLAYGROUND_BYTES },
  ];
}

if (import.meta.url === `file://${process.argv[1]}`) {
  for (const { name, files, bytes, allowed } of sizes()) {
    const verdict = bytes <= allowed ? 'ok' : 'TOO LARGE';
    console.log(`${name.padEnd(36)} ${String(bytes).padStart(6)} of ${allowed} bytes gzip  ${verdict}`);
    if (files.length > 1) console.log(`  ${files.join(' + ')}`);
    if (bytes > allowed) process.exitCode = 1;
  }
}
