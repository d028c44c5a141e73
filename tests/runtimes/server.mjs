// Runs the suite in a runtime for servers, from the folder where scripts/test-runtimes.mjs has put it beside the installed package.
// Prints one line of JSON.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const read = (name) => readFileSync(fileURLToPath(new URL(name, import.meta.url)));
const files = JSON.parse(read('files.json').toString());
globalThis.badnessFiles = Object.fromEntries(files.map((name) => [name, read(`files/${name}`)]));
const { runSuite } = await import('./suite.js');
const run = await runSuite(JSON.parse(read('asks.json').toString()));
console.log(JSON.stringify(run));
