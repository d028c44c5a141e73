// What belongs into the package: files that have a name of their own there, and whatever those refer to.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const EXPECTED = [
  /^(LICENSE|NOTICE|README\.md|package\.json)$/,
  /^dist\/badness(\.baseline)?\.wasm$/,
  /^dist\/[a-z]+\.schema\.json$/,
  /^dist\/playground\/(index\.html|main\.(js|css)|worker\.js|icon\.svg|scenarios\.json|licence\.txt)$/,
  /^dist\/playground\/[a-z-]+-[A-Z0-9]{8}\.js$/,
  /^dist\/[a-z-]+\.js$/,
  /^dist\/chunk-[A-Z0-9]{8}\.js$/,
  /^dist\/badness\.1$/,
  /^packaging\/[\w./-]+$/,
  /^scenarios\/[\w./-]+$/,
  /^dist\/types\/(src|assembly)\/[\w/-]+\.d\.ts$/,
];

export function unexpectedFiles(files) {
  return files.filter((file) => !EXPECTED.some((pattern) => pattern.test(file)));
}

/** Names that a built file or a declaration refers to: imports of any kind, and files given as URLs. */
const REFERENCES = /(?:\bfrom\s*|\bimport\s*\(?\s*|new URL\(\s*)["'`](\.[^"'`]+)["'`]/g;

/** Every module and declaration that the exports and commands of a package lead to, below its folder. */
export function reachedFiles(folder) {
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path) || !existsSync(join(folder, path))) return;
    seen.add(path);
    for (const [, name] of readFileSync(join(folder, path), 'utf8').matchAll(REFERENCES)) {
      const target = normalize(join(dirname(path), name));
      visit(path.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target);
    }
  };
  const { exports, bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const targets = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  // Named by the page, which is HTML.
  targets.push('dist/playground/main.js');
  for (const target of [...targets, ...Object.values(bin)]) if (/\.(js|ts)$/.test(target)) visit(normalize(target));
  return seen;
}
