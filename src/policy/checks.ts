/**
 * Stage: all of them. Building blocks of validation: an unknown value and the path of its key come in, a frozen value of
 * the right type goes out, or an error that says the key, what was expected and what came.
 * TypeError is for the wrong kind of thing (an unknown key too), RangeError for a wrong value of the right kind.
 * Each check also says what it accepts as a JSON schema, which is where the published one comes from.
 */

/** What a check accepts, as a JSON schema with the keys of TypeScript. It may accept more than the check, never less. */
export type Form = { readonly [keyword: string]: unknown };

/** Checks `value`, found at `path`, and returns it in its final form. Throws TypeError or RangeError. */
export type Check<T> = ((value: unknown, path: string) => T) & { readonly form: Form };

/** In place of a fallback: a key that is left out stays away. */
export const ABSENT = Symbol('absent');

/** For every key its check and, where the key may be left out, what stands in (in the form of the input). */
export type Shape<T> = { readonly [K in keyof T]-?: readonly [check: Check<T[K]>, fallback?: unknown] };

/** The parts that the message of a check's error is made of: `path` `wanted``got`. */
export interface Refusal {
  readonly path: string;
  readonly wanted: string;
  readonly got: string;
}

const refusals = new WeakMap<object, Refusal>();

/** The parts of an error that a check threw; undefined for any other. */
export function refusalOf(error: unknown): Refusal | undefined {
  return typeof error === 'object' && error !== null ? refusals.get(error) : undefined;
}

function fail(Kind: typeof TypeError | typeof RangeError, path: string, wanted: string, got = ''): never {
  const error = new Kind(`${path} ${wanted}${got}`);
  refusals.set(error, { path, wanted, got });
  throw error;
}

/** A check of one's own. */
export function check<T>(form: Form, read: (value: unknown, path: string) => T): Check<T> {
  return Object.assign(read, { form });
}

/** A value in the words of a refusal. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}

/** TypeError when `kind` is false, as for a value of the wrong kind, else RangeError. */
export function refuse(path: string, expected: string, value: unknown, kind = true): never {
  return fail(kind ? RangeError : TypeError, path, `must be ${expected}`, `, got ${show(value)}`);
}

/** Levenshtein's distance. Both are keys or names: short. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; ++i) {
    const next = [i];
    for (let j = 1; j <= b.length; ++j) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The name that is least typing away from `given`; the first of equals. `names` must not be empty. */
export function nearest(given: string, names: readonly string[]): string {
  const word = given.slice(0, 60).toLowerCase();
  const far = names.map((name) => distance(word, name.toLowerCase()));
  return names[far.indexOf(Math.min(...far))]!;
}

/** An object that is nothing but its keys. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm has an Object.prototype of its own: what marks it is that nothing is above that.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A plain object with no other keys than `keys`; nothing at all is an empty one. */
export function keyed(value: unknown, path: string, keys: readonly string[]): Record<string, unknown> {
  if (value === undefined) return {};
  if (!isPlain(value)) return refuse(path, `an object with keys ${keys.join(', ')}`, value, false);
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      fail(TypeError, `${path}.${key.slice(0, 60)}`, `is not known; the nearest key is ${nearest(key, keys)}`);
    }
  }
  return value;
}

/** The form of an object with these keys and no others. */
export function objectForm(properties: { readonly [key: string]: Form }, required: readonly string[] = []): Form {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** An object of this shape, frozen, keys in the order of the shape. A key that is undefined counts as left out. */
export function object<T extends object>(shape: Shape<T>): Check<T> {
  const keys = Object.keys(shape) as (keyof T & string)[];
  const forms = Object.fromEntries(keys.map((key) => [key, shape[key][0].form]));
  const required = keys.filter((key) => shape[key][1] === undefined);
  return check(objectForm(forms, required), (value, path) => {
    const given = keyed(value, path, keys);
    const result = {} as T;
    for (const key of keys) {
      const [read, fallback] = shape[key];
      const own = Object.hasOwn(given, key) ? given[key] : undefined;
      if (own === undefined && fallback === ABSENT) continue;
      result[key] = read(own === undefined ? fallback : own, `${path}.${key}`);
    }
    return Object.freeze(result);
  });
}

/** An integer low … high, both included. */
export function integer(low: number, high: number): Check<number> {
  return check({ type: 'integer', minimum: low, maximum: high }, (value, path) => {
    const good = Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
    return good ? (value as number) : refuse(path, `an integer ${low}..${high}`, value, typeof value === 'number');
  });
}

export const flag: Check<boolean> = check({ type: 'boolean' }, (value, path) =>
  typeof value === 'boolean' ? value : refuse(path, 'true or false', value, false),
);

/** Only true: what is said by its being there. */
export const present: Check<true> = check({ const: true }, (value, path) =>
  value === true ? value : refuse(path, 'true, or be left out', value, typeof value === 'boolean'),
);

/** Or null, which stands for a key that is left out: files have no null. */
export function orNull<T>(inner: Check<T>): Check<T | null> {
  return check(inner.form, (value, path) => (value === null ? null : inner(value, path)));
}

/** One of these names. */
export function oneOf<T extends string>(names: readonly T[]): Check<T> {
  return check({ enum: names }, (value, path) => {
    if (names.includes(value as T)) return value as T;
    const wanted = `one of ${names.join(', ')}`;
    if (typeof value !== 'string') return refuse(path, wanted, value, false);
    return refuse(path, `${wanted} (the nearest is ${nearest(value, names)})`, value);
  });
}

/** A string that `pattern` matches; `expected` says so in words. */
export function text(pattern: RegExp, expected: string): Check<string> {
  return check({ type: 'string', pattern: pattern.source }, (value, path) =>
    typeof value === 'string' && pattern.test(value) ? value : refuse(path, expected, value, typeof value === 'string'),
  );
}

/** An array of at least `least` items, frozen. */
export function list<T>(item: Check<T>, least = 0): Check<readonly T[]> {
  return check({ type: 'array', items: item.form, minItems: least }, (value, path) => {
    if (!Array.isArray(value)) return refuse(path, 'an array', value, false);
    if (value.length < least) return refuse(path, `an array of at least ${least}`, value);
    return Object.freeze(Array.from(value, (one, index) => item(one, `${path}[${index}]`)));
  });
}

/** What has keys goes to the check of the first key it has, everything else to `otherwise`. */
export function either<A, B>(otherwise: Check<A>, byKey: { readonly [key: string]: Check<B> }): Check<A | B> {
  const keys = Object.keys(byKey);
  const anyOf = [otherwise.form, ...Object.values(byKey).map(({ form }) => form)];
  return check({ anyOf }, (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return otherwise(value, path);
    const key = keys.find((one) => Object.hasOwn(value, one));
    if (key) return byKey[key]!(value, path);
    keyed(value, path, keys);
    return refuse(path, `an object with a key ${keys.join(' or ')}`, value);
  });
}
