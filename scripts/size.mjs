// Prints what the built files weigh when they are compressed, and fails above the allowance.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const KIB = 1024;
/** Of the finished library (all issues), in bytes of gzip -9. */
const ENGINE_BYTES = 6 * KIB;
const ENTRY_BYTES = 16 * KIB;

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

/** Every weight with its allowance, in bytes. */
export function sizes() {
  const engine = (path) => ({ name: path, files: [path], bytes: weigh(readFileSync(path)), allowed: ENGINE_BYTES });
  const files = [...staticImports('dist/index.js')];
  const bytes = files.reduce((sum, file) => sum + weigh(readFileSync(file)), 0);
  return [
    engine('dist/badness.wasm'),
    engine('dist/badness.baseline.wasm'),
    { name: 'dist/index.js with what it imports', files, bytes, allowed: ENTRY_BYTES },
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
