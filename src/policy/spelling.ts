/** Stage: none (files). Keys as TypeScript spells them (`maxDiscount`) and as files do (`max_discount`). */

/** `maxDiscount` → `max_discount` */
export function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `max_discount` → `maxDiscount` */
export function camel(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `policy.rules[0].age` → `rule[0].age`, `policy.thresholds.term.swapFree` → `thresholds.term.swap_free` */
export function filePath(path: string): string {
  return pathBelow('policy', path).replace(/^rules\b/, 'rule');
}

/** A path of a check as a file has it: `scenario.machine.usedBytes` → `machine.used_bytes` */
export function pathBelow(root: string, path: string): string {
  return snake(path.startsWith(root) ? path.slice(root.length).replace(/^\./, '') : path);
}

/** A sentence about keys, as files spell them. `root`: what paths begin with. */
export function wordsBelow(root: string, words: string): string {
  return words.replaceAll(`${root}.`, '').replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, snake);
}
