// Builds dist/playground/: a static page, in modules that the browser loads when they are needed.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const FROM = 'src/playground';
const TO = 'dist/playground';

/** The scenarios that come with the page, checked, with their defaults filled in: the page needs no parser for them. */
async function scenarios() {
  const { parseScenario } = await import('../dist/simulate.js');
  const files = readdirSync('scenarios').filter((file) => file.endsWith('.toml'));
  return Promise.all(files.sort().map((file) => parseScenario(readFileSync(`scenarios/${file}`, 'utf8'), file)));
}

/** Writes the page. `common` is how the other bundles are made. */
export async function buildPlayground(common) {
  mkdirSync(TO, { recursive: true });
  await build({
    ...common,
    platform: 'browser',
    external: [],
    chunkNames: '[name]-[hash]',
    entryPoints: { main: `${FROM}/main.ts`, worker: `${FROM}/worker.ts` },
    outdir: TO,
  });
  await build({ bundle: true, minify: true, entryPoints: [`${FROM}/main.css`], outdir: TO });
  for (const file of ['index.html', 'icon.svg']) copyFileSync(`${FROM}/${file}`, `${TO}/${file}`);
  // The page travels by itself: who hosts it hosts the notices of what is in it.
  writeFileSync(`${TO}/licence.txt`, ['LICENSE', 'NOTICE'].map((file) => readFileSync(file, 'utf8')).join('\n'));
  writeFileSync(`${TO}/scenarios.json`, `${JSON.stringify(await scenarios())}\n`);
}
