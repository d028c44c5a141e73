// The C header of the engine's ABI, from assembly/layout.ts and the names of the schemes: `node scripts/abi-header.mjs [--check]`.
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const HEADER = 'examples/device/abi.h';
const INT_MAX = 2 ** 31 - 1;

async function load(entry) {
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** A literal of the type that holds it: int, unsigned, or 64 bits. */
function literal(value) {
  if (value < 0) return `(${value})`;
  if (value <= INT_MAX) return String(value);
  return value < 2 ** 32 ? `${value}u` : `${value}LL`;
}

/** The text of the header, names in the order in which layout.ts has them. */
export async function abiHeader() {
  const layout = await load('assembly/layout.ts');
  const { SCHEMES } = await load('src/schemes.ts');
  const names = [...readFileSync('assembly/layout.ts', 'utf8').matchAll(/^export const (\w+) =/gm)].map(
    ([, name]) => name,
  );
  const lines = names.map((name) => `#define L_${name} ${literal(layout[name])}`);
  return [
    '// Made by scripts/abi-header.mjs from assembly/layout.ts, which says what each means. Do not change it here.',
    '#pragma once',
    ...lines,
    '// In the order of L_SCHEME_*.',
    `#define L_SCHEME_NAMES ${SCHEMES.map((name) => JSON.stringify(name)).join(', ')}`,
    '',
  ].join('\n');
}

/** Why the header in the tree is not that of the layout, or null. */
export async function staleHeader() {
  if (readFileSync(HEADER, 'utf8') === (await abiHeader())) return null;
  return `${HEADER} is not what assembly/layout.ts says: run node scripts/abi-header.mjs`;
}

if (import.meta.url === `file://${process.argv[1]}`) {
  if (process.argv.includes('--check')) {
    const stale = await staleHeader();
    if (stale) console.error(stale);
    process.exitCode = stale ? 1 : 0;
  } else writeFileSync(HEADER, await abiHeader());
}
