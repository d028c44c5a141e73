/** Stage: all of them. The program of a thread of ours, which bundlers do not know of and leave behind. */
import { existsSync } from 'node:fs';
import { BadnessError } from '../errors.js';

/** Apart from `new URL`: webpack would look for every file that the name may be of, and warn. */
const HERE = import.meta.url;

/**
 * Where a thread finds its program: where the caller says, or beside this one, which is where the package has it. Throws BadnessError
 * `ENOTHREAD` when it is not there.
 */
export function threadFile(name: `${'guard' | 'ranker' | 'fleet' | 'evaluator'}-worker.js`, given?: URL): URL {
  const url = given ?? new URL(name, HERE);
  if (url.protocol !== 'file:' || existsSync(url)) return url;
  const words = `leave badness out of the bundle (external), or bundle badness/${name} as a program of its own, beside it or where worker says`;
  throw new BadnessError('ENOTHREAD', `expected the program of the thread at ${url.pathname}, found none; ${words}`);
}
