// The guard in a worker as it is shipped (dist/linux.js), and when it is always short of memory.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StartGuardOptions } from '../../../src/linux/start-guard.js';

export const skip = process.platform !== 'linux' && 'needs Linux';
export const entry = pathToFileURL(resolve('dist/linux.js')).href;
export const { startGuard } = (await import(entry)) as typeof import('../../../src/linux/index.js');

/** Whatever memory this machine has, it is short of it. */
export const SHORT: StartGuardOptions = {
  domain: 'system',
  thresholds: { warn: { available: '100%' }, term: { available: '100%', swapFree: '100%' }, kill: { available: '0%' } },
};
