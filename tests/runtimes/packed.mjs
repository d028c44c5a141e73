// The package as people get it: packed by npm, and installed from the file into a folder of its own.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inTries } from './fetched.mjs';

const QUIET = ['--silent', '--no-audit', '--no-fund', '--prefer-offline'];

/** Packs what is built. The path of the tarball in `folder`. */
function packInto(folder) {
  const listed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, files }] = JSON.parse(listed);
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) };
}

/** Installs the tarball. npm leaves out without a word what is optional and cannot be fetched: where this checkout has it, it is missed. */
function install(folder, tarball) {
  execFileSync('npm', ['install', ...QUIET, tarball], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const koffi = 'node_modules/koffi';
  if (existsSync(koffi) && !existsSync(join(folder, koffi))) throw new Error('npm could not fetch koffi');
}

/** A new temporary folder with the package in its node_modules, what is in it, and its tarball; the caller removes the folder. */
export async function installPacked() {
  const folder = mkdtempSync(join(tmpdir(), 'badness-packed-'));
  writeFileSync(join(folder, 'package.json'), '{"name":"consumer","private":true,"type":"module"}\n');
  const { tarball, files } = packInto(folder);
  await inTries(async () => install(folder, tarball));
  return { folder, files, tarball };
}
