/** Stage: report, of simulations. One run as a JSON object. */
import { SCHEMA_VERSION } from '../../assembly/layout.js';
import { type Plain, snakeKeys } from '../json-keys.js';
import type { SimResult } from './simulate.js';

/** A run with the keys of JSON output; what the guard told and the samples of memory are left out. */
export function resultToJson(policy: string, result: SimResult): { readonly [key: string]: Plain } {
  const { scenario, seed, samples: _, events: __, ...figures } = result;
  const keys = snakeKeys({ scenario, policy, seed, ...figures } as unknown as Plain);
  return { schema: SCHEMA_VERSION, ...(keys as { readonly [key: string]: Plain }) };
}
