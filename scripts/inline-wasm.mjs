// Lets esbuild inline WebAssembly as hexadecimal text. Base64 is shorter, but not where it counts: it hides from gzip
// what repeats in the binary, and an engine of six kilobytes would travel as eight.
import { readFileSync } from 'node:fs';

/** @type {import('esbuild').Plugin} */
export const inlineWasm = {
  name: 'inline-wasm',
  setup(build) {
    build.onLoad({ filter: /\.wasm$/ }, ({ path }) => ({
      contents: `
        const text = '${readFileSync(path).toString('hex')}';
        const bytes = new Uint8Array(text.length / 2);
        for (let at = 0; at < bytes.length; ++at) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
        export default bytes;`,
      loader: 'js',
    }));
  },
};
