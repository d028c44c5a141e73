// Deletes declarations that no entry of the package refers to: the compiler writes one for every source, and most are of no use to anybody.
import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** A declaration and all that it refers to. */
function reach(path, seen) {
  if (seen.has(path)) return;
  seen.add(path);
  for (const [, name] of readFileSync(path, 'utf8').matchAll(/(?:from |import\()["'](\.[^"']+)\.js["']/g)) {
    reach(normalize(join(dirname(path), `${name}.d.ts`)), seen);
  }
}

/** Keeps below `root` what the `types` of these exports need. */
export function pruneTypes(root, exports) {
  const seen = new Set();
  for (const target of Object.values(exports)) if (target.types) reach(normalize(target.types), seen);
  const paths = readdirSync(root, { recursive: true, withFileTypes: true });
  for (const entry of paths) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !seen.has(path)) rmSync(path);
  }
  // Deepest first: a folder may be empty because what was in it is.
  const folders = paths.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  for (const folder of folders.sort((a, b) => b.length - a.length)) {
    if (readdirSync(folder).length === 0) rmdirSync(folder);
  }
}
