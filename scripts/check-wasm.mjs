// Proves of a built engine what the design promises: imports and exports as declared, no start function, no data segment.
import { readFileSync } from 'node:fs';
import { exportNames } from './abi.mjs';

const SECTION_START = 8;
const SECTION_DATA = 11;

/** Section ids of a WebAssembly binary, in file order. */
function sectionIds(bytes) {
  const ids = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  return ids;
}

/**
 * Throws when the binary at `path` breaks one of the promises.
 * @param {string} path
 * @param {'shared' | 'baseline'} build
 */
export function checkWasm(path, build) {
  const bytes = readFileSync(path);
  const module = new WebAssembly.Module(bytes);
  const expect = (what, got, wanted) => {
    if (JSON.stringify(got) !== JSON.stringify(wanted)) {
      throw new Error(`${path}: ${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`);
    }
  };
  const imports = WebAssembly.Module.imports(module).map((i) => `${i.module}.${i.name}:${i.kind}`);
  expect('imports', imports, build === 'shared' ? ['env.memory:memory'] : []);
  const exports = WebAssembly.Module.exports(module)
    .filter((e) => e.kind === 'function')
    .map((e) => e.name)
    .sort();
  expect('exports', exports, exportNames());
  const memories = WebAssembly.Module.exports(module).filter((e) => e.kind !== 'function');
  expect(
    'other exports',
    memories.map((e) => `${e.name}:${e.kind}`),
    ['memory:memory'],
  );
  const ids = sectionIds(bytes);
  expect('start section', ids.includes(SECTION_START), false);
  expect('data section', ids.includes(SECTION_DATA), false);
}
