// The export list as assembly/index.ts declares it.
import { readFileSync } from 'node:fs';

/** Names of the exported functions, sorted. */
export function exportNames() {
  const source = readFileSync('assembly/index.ts', 'utf8');
  const names = [];
  for (const [, list] of source.matchAll(/export \{([^}]*)\} from/g)) {
    names.push(
      ...list
        .split(',')
        .map((n) => n.trim())
        .filter(Boolean),
    );
  }
  return names.sort();
}
