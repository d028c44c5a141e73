/** Stage: domain. The mark by which a process of a subtree is known although its parents are gone: a variable in its environment. */
import { randomBytes } from 'node:crypto';

const VARIABLE = 'BADNESS_SUBTREE';
/** One subtree may be part of another: then the variable holds both cookies. */
const SEPARATOR = ':';
const COOKIE = /^[0-9a-f]{32}$/;

/** By environment. A second guard takes the same one: children that were started for the first do not get another. */
const planted = new WeakMap<NodeJS.ProcessEnv, string>();

/**
 * Puts a cookie into `environment`, for every process started from it later to inherit, and returns it; the same one when called again.
 * Call it in the main thread and before the first child: a worker's process.env is a copy, and a process keeps the environment of its
 * execve. A cookie that is there already is of a subtree around this one, and stays.
 */
export function plantCookie(environment: NodeJS.ProcessEnv = process.env): string {
  const cookie = planted.get(environment) ?? randomBytes(16).toString('hex');
  planted.set(environment, cookie);
  const there = (environment[VARIABLE] || '').split(SEPARATOR).filter(Boolean);
  if (!there.includes(cookie)) environment[VARIABLE] = [...there, cookie].join(SEPARATOR);
  return cookie;
}

/** Refuses what {@link plantCookie} did not make: a short word would be found by accident. @throws RangeError with the value. */
export function checkCookie(cookie: string): string {
  if (!COOKIE.test(cookie)) throw new RangeError(`cookie must be 32 hexadecimal digits, got ${JSON.stringify(cookie)}`);
  return cookie;
}

/** Whether the text of /proc/PID/environ holds the cookie, in the variable that it belongs into. */
export function holdsCookie(environ: string, cookie: string): boolean {
  if (!environ.includes(cookie)) return false;
  const prefix = `${VARIABLE}=`;
  return environ
    .split('\0')
    .some((entry) => entry.startsWith(prefix) && entry.slice(prefix.length).split(SEPARATOR).includes(cookie));
}
