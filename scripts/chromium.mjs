// Where the browser is that tests, benches and pictures of the playground use.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Why there is none, in words. */
export const NO_CHROMIUM = `no browser: none of ${NAMES.join(', ')} in PATH, and CHROMIUM_PATH is not set`;

/** What playwright-core starts it with; null where there is none. */
export function chromiumOptions() {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  const paths = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const executablePath = CHROMIUM_PATH || paths.find((path) => existsSync(path));
  // The sandbox of Chromium refuses to run as root.
  return executablePath ? { executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] } : null;
}
