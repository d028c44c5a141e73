/** Stage: all of them. The program of a thread of ours, which bundlers do not know of and leave behind. */
import { existsSync } from 'node:fs';
import { BadnessError } from '../errors.js';

/** Throws BadnessError `ENOTHREAD` when the program that a thread is to run is not where this one is. Returns its URL. */
export function checkThreadFile(url: URL): URL {
  if (url.protocol !== 'file:' || existsSync(url)) return url;
  throw new BadnessError(
    'ENOTHREAD',
    `expected the program of the thread at ${url.pathname}, found none; leave badness out of the bundle (external)`,
  );
}
