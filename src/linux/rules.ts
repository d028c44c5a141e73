/** Stage: points → selection, on a live machine. The rules of a policy, ready for the rows of an engine. */
import { readFileSync } from 'node:fs';
import type { Engine } from '../engine.js';
import { compileRules } from '../policy/compiled-rule.js';
import { RowRules } from '../policy/row-rules.js';
import type { Rule } from '../policy/rule.js';
import { ProcTexts, type TextOptions } from '../proc/rule-texts.js';
import { liveFiles } from './live-files.js';

/** Where rules look. */
export interface RuleOptions extends TextOptions {
  /** Where users have their numbers. Default /etc/passwd. */
  passwd?: string;
}

/** `root:x:0:0:root:/root:/bin/bash`; nobody where there is no such file. */
function uidsIn(passwd: string): Map<string, number> {
  try {
    const lines = readFileSync(passwd, 'utf8').matchAll(/^([^:\n]+):[^:\n]*:(\d+):/gm);
    // The first line of a name is the one that counts.
    return new Map([...lines].reverse().map(([, name, uid]) => [name!, Number(uid)]));
  } catch {
    return new Map();
  }
}

/** The rules of a policy, compiled for this machine. */
export interface OpenedRules {
  /** Null when there are none. One for each engine and scanner. */
  readonly rules: RowRules | null;
  /** Names of users that this machine does not have: the rules that ask for them match nobody. */
  readonly unknownUsers: readonly string[];
  /** Numbers of the users that the rules name. */
  readonly users: ReadonlyMap<string, number>;
  /** What the rules look at; null when there are none. */
  readonly texts: ProcTexts | null;
}

/** Users that rules name: the numbers of those that this machine has now, and the names of the others. */
export function usersNamed(
  rules: readonly Rule[],
  passwd = '/etc/passwd',
): Pick<OpenedRules, 'users' | 'unknownUsers'> {
  const names = [...new Set(rules.flatMap(({ user }) => (typeof user === 'string' ? [user] : [])))];
  const uids = names.length > 0 ? uidsIn(passwd) : new Map<string, number>();
  const known = names.flatMap((name) => (uids.has(name) ? [[name, uids.get(name)!] as const] : []));
  return { users: new Map(known), unknownUsers: Object.freeze(names.filter((name) => !uids.has(name))) };
}

/**
 * Compiles the rules of a policy for this machine. Users are looked up now, so a user that is made later is not known.
 * Rejects with RangeError, by path, for a regular expression that RE2 does not take.
 */
export async function openRules(
  engine: Engine,
  rules: readonly Rule[],
  options: RuleOptions = {},
): Promise<OpenedRules> {
  if (rules.length === 0) return { rules: null, unknownUsers: [], users: new Map(), texts: null };
  const named = usersNamed(rules, options.passwd);
  const compiled = await compileRules(rules, { uidOf: (name) => named.users.get(name) });
  const texts = new ProcTexts(liveFiles, options);
  return { rules: new RowRules(engine, compiled, texts), ...named, texts };
}
