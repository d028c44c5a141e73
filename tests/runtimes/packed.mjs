// The package as people get it: packed by npm, and installed from the file into a folder of its own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const QUIET = ['--silent', '--no-audit', '--no-fund', '--prefer-offline'];

/** Packs what is built. The path of the tarball in `folder`. */
export function packInto(folder) {
  const listed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, files }] = JSON.parse(listed);
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) };
}

/** A new temporary folder with the package in its node_modules; the caller removes it. */
export function installPacked() {
  const folder = mkdtempSync(join(tmpdir(), 'badness-packed-'));
  writeFileSync(join(folder, 'package.json'), '{"name":"consumer","private":true,"type":"module"}\n');
  const { tarball, files } = packInto(folder);
  execFileSync('npm', ['install', ...QUIET, tarball], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return { folder, files };
}
