/** Stage: points. The names of the schemes, in the order of their numbers. */

/** Every scheme, by its number in the engine. */
export const SCHEMES = [
  'linux-2.4',
  'linux-2.6.10',
  'linux-2.6.11',
  'linux-2.6.16',
  'linux-2.6.20',
  'linux-2.6.32',
  'linux-2.6.36',
  'linux-3.0',
  'linux-3.5',
  'linux-3.15',
  'linux-4.17',
  'linux-5.9',
  'badness',
  'resident',
  'family',
] as const;

/** The name of a built-in scheme (docs/schemes.md). */
export type SchemeName = (typeof SCHEMES)[number];

/** What counts when nobody names a scheme. */
export const DEFAULT_SCHEME: SchemeName = 'badness';

/** The number of a scheme. Throws RangeError listing the names when there is none such. */
export function schemeNumber(name: string): number {
  const number = SCHEMES.indexOf(name as SchemeName);
  if (number < 0) throw new RangeError(`scheme must be one of ${SCHEMES.join(', ')}, got ${JSON.stringify(name)}`);
  return number;
}
