// Fetches what npm has of runtimes and tools into a cache folder, once: never into node_modules, where they would be everybody's.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FETCH_MS = 300_000;
const TRIES = 3;
const PAUSE_MS = 5000;

/** Where fetched things stay: BADNESS_RUNTIMES, or below the cache folder of the user. */
export function cacheFolder() {
  const { BADNESS_RUNTIMES, XDG_CACHE_HOME } = process.env;
  return BADNESS_RUNTIMES || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'badness-runtimes');
}

/** What is fetched by `fetch`, which is asked again when the network fails it: a few times. */
export async function inTries(fetch) {
  for (let left = TRIES - 1; ; --left) {
    try {
      return await fetch();
    } catch (error) {
      if (left === 0) throw error;
      await pause(PAUSE_MS);
    }
  }
}

/** Makes a folder by `fill`, unless it is there. Two that do so at once get one of both. */
async function once(folder, fill) {
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder(), { recursive: true });
  const making = mkdtempSync(join(cacheFolder(), '.making-'));
  try {
    await fill(making);
    if (!existsSync(folder)) renameSync(making, folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return folder;
}

const folderOf = (spec) => join(cacheFolder(), spec.replaceAll(/[^\w.]+/g, '-').replace(/^-/, ''));

/** The unpacked package `name@version`, without what it depends on, and none of its scripts run. Rejects when npm does not have it. */
export function fetchPackage(spec) {
  return once(folderOf(spec), async (folder) => {
    const args = ['pack', '--silent', '--pack-destination', folder, spec];
    await inTries(() => run('npm', args, { timeout: FETCH_MS }));
    const tarball = join(
      folder,
      readdirSync(folder).find((file) => file.endsWith('.tgz')),
    );
    await run('tar', ['xzf', tarball, '-C', folder, '--strip-components=1']);
    rmSync(tarball);
  });
}

/** A folder in whose node_modules these packages are, with all that they need. */
export function installPackages(name, specs) {
  return once(folderOf([name, ...specs].join(' ')), async (folder) => {
    const quiet = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--prefix', folder];
    await inTries(() => run('npm', ['install', ...quiet, ...specs], { timeout: FETCH_MS }));
  });
}
