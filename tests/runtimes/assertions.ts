/** What stands in for node:assert/strict in every runtime: the assertions that the suites use, as strict as Node's. */

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function fail(message: string | undefined, words: string): never {
  throw new Error(message === undefined ? words : `${message}: ${words}`);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Strictly equal: same prototype, same own keys, same values; NaN equals itself, 0 is not −0. */
export function same(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (!isPlain(left) || !isPlain(right)) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  // Key by key, a view of a whole memory would take minutes.
  if (ArrayBuffer.isView(left) && ArrayBuffer.isView(right)) return sameBytes(bytesOf(left), bytesOf(right));
  if (left instanceof Map || left instanceof Set) throw new Error('this comparison knows no maps and sets');
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key]));
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

type Expected =
  | undefined
  | ((error: unknown) => boolean)
  | (new (
      ...args: never[]
    ) => Error)
  | { code?: string; message?: RegExp };

function isExpected(error: unknown, expected: Expected): boolean {
  if (expected === undefined) return true;
  if (expected instanceof RegExp) return expected.test(String(error));
  if (typeof expected === 'function') {
    if (expected === Error || expected.prototype instanceof Error)
      return error instanceof (expected as unknown as ErrorConstructor);
    return (expected as (error: unknown) => boolean)(error) === true;
  }
  const { code, message } = error as { code?: string; message: string };
  return (
    (expected.code === undefined || expected.code === code) &&
    (expected.message === undefined || expected.message.test(message))
  );
}

function equal(actual: unknown, expected: unknown, message?: string): void {
  if (!Object.is(actual, expected)) fail(message, `expected ${shown(expected)}, got ${shown(actual)}`);
}

function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  if (!same(actual, expected)) fail(message, `expected ${shown(expected)}, got ${shown(actual)}`);
}

function notEqual(actual: unknown, other: unknown, message?: string): void {
  if (Object.is(actual, other)) fail(message, `expected something else than ${shown(other)}`);
}

function ok(value: unknown, message?: string): void {
  if (!value) fail(message, `expected something true, got ${shown(value)}`);
}

function throws(body: () => unknown, expected?: Expected, message?: string): void {
  try {
    body();
  } catch (error) {
    if (isExpected(error, expected)) return;
    fail(message, `another error than expected: ${String(error)}`);
  }
  fail(message, 'expected an error, there was none');
}

async function rejects(promise: Promise<unknown> | (() => Promise<unknown>), expected?: Expected): Promise<void> {
  try {
    await (typeof promise === 'function' ? promise() : promise);
  } catch (error) {
    if (isExpected(error, expected)) return;
    fail(undefined, `another error than expected: ${String(error)}`);
  }
  fail(undefined, 'expected an error, there was none');
}

const assert = { equal, deepEqual, notEqual, ok, throws, rejects };

export { assert as default, deepEqual, equal, notEqual, ok, rejects, throws };
