/** Stage: report. Who is told around a kill, as data: a program, a web address, or the desktop. */
import { ABSENT, type Check, check, integer, list, object, oneOf, present, refuse, text } from './checks.js';

/** What is told, as policy files spell it: memory is short; a victim is known; a kill is over. */
export const NOTIFY_ON = ['warn', 'before_kill', 'after_kill'] as const;

/** Whom to tell around a kill: a program, a web address, or the desktop. */
export interface NotifyRule {
  readonly on: (typeof NOTIFY_ON)[number];
  /** Exactly one of these. A program and its arguments, without a shell; a URL of http or https; the desktop. */
  readonly command?: readonly string[];
  readonly webhook?: string;
  readonly desktop?: true;
  /** When it is given up, milliseconds, 1 … 3,600,000. Default 5,000. What a round waits for it is `limits`. */
  readonly limitMs: number;
}

/** A rule of `notify` as it is written: the limit may be left out. */
export type NotifyInput = Omit<NotifyRule, 'limitMs'> & { readonly limitMs?: number | undefined };

const WAYS = ['command', 'webhook', 'desktop'] as const;
const HOUR_MS = 3_600_000;

const argument = text(/^[^\0]*$/, 'an argument without NUL');

/** Its first item is the program, which has a name. */
const command: Check<readonly string[]> = (() => {
  const items = list(argument, 1);
  return check(items.form, (value, path) => {
    const given = items(value, path);
    return given[0] === '' ? refuse(`${path}[0]`, 'the name or path of a program', '') : given;
  });
})();

const fields = object<NotifyRule>({
  on: [oneOf(NOTIFY_ON)],
  command: [command, ABSENT],
  webhook: [text(/^https?:\/\/[^\s/]\S*$/, `a URL such as 'http://127.0.0.1:9000/oom'`), ABSENT],
  desktop: [present, ABSENT],
  limitMs: [integer(1, HOUR_MS), 5000],
});

export const notifyRule: Check<NotifyRule> = check(fields.form, (value, path) => {
  const given = fields(value ?? null, path);
  const ways = WAYS.filter((key) => given[key] !== undefined);
  if (ways.length === 1) return given;
  const said = ways.length === 0 ? undefined : ways.join(' and ');
  return refuse(path, `an entry with exactly one of ${WAYS.join(', ')}`, said);
});

export const notify: Check<readonly NotifyRule[]> = list(notifyRule);
