// The README's table of what works where, made from what `npm run test:runtimes -- --write` has seen.
import { readFileSync, writeFileSync } from 'node:fs';
import { tableOf } from '../tests/runtimes/outcome.mjs';

export const RESULTS = 'tests/runtimes/results.json';
const README = 'README.md';
const BEGIN = '<!-- runtimes: written by npm run test:runtimes -- --write -->';
const END = '<!-- /runtimes -->';

/** The README with the table of these results in its place. */
export function withTable(readme, results) {
  const [before, rest] = readme.split(`${BEGIN}\n`);
  const after = rest?.split(`${END}\n`)[1];
  if (after === undefined) throw new Error(`${README} must have ${BEGIN} and ${END}, each on a line of its own`);
  return `${before}${BEGIN}\n${tableOf(results)}\n${END}\n${after}`;
}

/** Keeps the results of runtimes that were not run this time. */
export function writeTable(results) {
  const all = { ...readResults(), ...results };
  writeFileSync(RESULTS, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(README, withTable(readFileSync(README, 'utf8'), all));
}

export function readResults() {
  return JSON.parse(readFileSync(RESULTS, 'utf8'));
}
