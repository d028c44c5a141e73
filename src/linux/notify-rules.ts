/** Stage: report. Whom a policy wants to be told around a kill: a program, a web address, or the desktop. */
import type { Notifier } from '../guard/notifier.js';
import type { PhaseEvents } from '../guard/round-events.js';
import { type Plain, snakeKeys } from '../json-keys.js';
import type { NotifyRule } from '../policy/notify.js';
import { runCommand, victimEnvironment } from './command-notifier.js';

type Told = PhaseEvents['warn'] | PhaseEvents['beforeKill'] | PhaseEvents['afterKill'];

const PHASE = { warn: 'warn', before_kill: 'beforeKill', after_kill: 'afterKill' } as const;
/** What begins with a name could pass for an option but for the two dashes. */
const DESKTOP = ['notify-send', '--app-name=badness', '--', 'badness'];

function victimOf(event: Told) {
  return 'victim' in event ? event.victim : null;
}

/** One line for people, without anything that a desktop or a terminal could take for more. */
function wordsOf(on: NotifyRule['on'], event: Told): string {
  const victim = victimOf(event);
  const name = victim?.comm.replace(/[\p{C}\p{Zl}\p{Zp}<>&]/gu, '?');
  if (on === 'before_kill') return `memory of ${event.domain} is short: ${name} (${victim?.tgid}) is killed`;
  if (on === 'warn' || !('outcome' in event)) return `memory of ${event.domain} is getting short`;
  return victim ? `${name} (${victim.tgid}): ${event.outcome}` : `nobody may be killed in ${event.domain}`;
}

async function post(url: string, on: string, event: Told, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ on, ...(snakeKeys(event as unknown as Plain) as object) });
  const headers = { 'content-type': 'application/json' };
  const { ok, status } = await fetch(url, { method: 'POST', body, headers, signal, redirect: 'error' });
  if (!ok) throw new Error(`${url} answered ${status}`);
}

function environment(on: string, event: Told): NodeJS.ProcessEnv {
  const victim = victimOf(event);
  const env = victim ? victimEnvironment(victim, '') : { ...process.env };
  return { ...env, BADNESS_ON: on, BADNESS_DOMAIN: event.domain };
}

/**
 * The notifier of one entry of `policy.notify`. It does not hold a round up for longer than the limits of its phase; what it began
 * is given up after `limitMs`.
 */
export function ruleNotifier({ on, command, webhook, desktop, limitMs }: NotifyRule, index: number): Notifier {
  const tell = async (event: Told): Promise<void> => {
    const signal = AbortSignal.timeout(limitMs);
    if (webhook) return post(webhook, on, event, signal);
    const [file, ...args] = desktop ? [...DESKTOP, wordsOf(on, event)] : command!;
    await runCommand([file!, ...args], environment(on, event), signal);
  };
  return { name: `notify ${index + 1}`, [PHASE[on]]: tell } as Notifier;
}
