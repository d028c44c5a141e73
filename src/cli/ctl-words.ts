/** Stage: report. What a guard answers, in words: from its JSON, whose keys are those of the files. */
import type { RoundReport } from '../guard/index.js';
import { printable } from './names.js';
import { counted, grouped, memory } from './quantities.js';
import { named } from './words.js';

/** Of `/state`, as far as it is shown. */
export interface StateRecord {
  readonly version: string | null;
  readonly pid: number;
  readonly domain: string;
  readonly level: string;
  readonly words: string;
  readonly counters: Readonly<Record<'readings' | 'rounds' | 'released' | 'freed_bytes' | 'others', number>>;
  readonly gate: { readonly kind: string };
  /** Guards of earlier versions say neither. */
  readonly reloads?: { readonly taken: number; readonly refused: number };
  readonly plugin?: PluginRecord | null;
  readonly token: { readonly victim: { readonly id: number } | null } | null;
  readonly queued: number;
  readonly queue_stale: boolean;
  readonly protected: number;
  readonly facts: { readonly enforce: boolean; readonly scheme: string };
}

interface PluginRecord {
  readonly name: string;
  readonly state: string;
  readonly answered: number;
  readonly fallbacks: number;
  readonly last_error: string | null;
}

/** Of a round, as far as it is shown. */
interface RoundRecord {
  readonly outcome: RoundReport['outcome'];
  readonly reason: string | null;
  readonly chosen_by: string;
  readonly victim: { readonly tgid: number; readonly comm: string; readonly points: number | null } | null;
  readonly freed_bytes: number | null;
  readonly total_ms: number;
  readonly decision?: number | null;
}

export interface EventRecord {
  readonly time: string;
  readonly kind: string;
  readonly [key: string]: unknown;
}

function pluginLine({ name, state, answered, fallbacks, last_error }: PluginRecord): string {
  const why = last_error === null ? '' : `; cut off last: ${printable(last_error)}`;
  return `plug-in ${printable(name)} ${state}: decided ${counted(answered, 'time')}, the fallback scheme ${counted(fallbacks, 'time')}${why}`;
}

export function stateLines(state: StateRecord): string[] {
  const { facts, counters, reloads, token, queued, version } = state;
  const victim = token?.victim ? `, victim ${token.victim.id}` : '';
  const mode = facts.enforce ? 'enforcing' : 'dry run';
  return [
    `badness ${version ?? ''} guards ${state.domain}, pid ${state.pid}; ${mode}, scheme ${facts.scheme}`,
    `${state.level === 'none' ? 'calm' : state.level}: ${state.words}`,
    `${counted(counters.rounds, 'round')} since it began: ${counters.released} released ${memory(counters.freed_bytes)}, ${counters.others} ended otherwise`,
    `token: ${token ? `a round is under way${victim}` : 'idle'}; gate: ${state.gate.kind}`,
    `queue: ${counted(queued, 'task')}${state.queue_stale ? ', out of date' : ''}; protected: ${counted(state.protected, 'task')}`,
    ...(state.plugin ? [pluginLine(state.plugin)] : []),
    ...(reloads && reloads.taken + reloads.refused > 0
      ? [`policies since it began: ${reloads.taken} taken, ${reloads.refused} refused`]
      : []),
  ];
}

/** `released: 4711 (hog), 120,000 points: 480 MiB freed, 12 ms` */
export function roundWords({ outcome, reason, chosen_by, victim, freed_bytes, total_ms }: RoundRecord): string {
  const who = victim ? named(victim) : 'nobody';
  const points = victim ? `, ${grouped(victim.points ?? 0)} points` : '';
  const why = reason ? ` (${printable(reason)})` : '';
  const by = chosen_by === 'queue' ? ', chosen by the queue' : '';
  const freed = freed_bytes !== null && freed_bytes > 0 ? `: ${memory(freed_bytes)} freed` : '';
  return `${outcome}${why}: ${who}${points}${by}${freed}, ${grouped(Math.round(total_ms))} ms`;
}

/** `time` in the place of the event's own. */
export function decisionWords(event: EventRecord, time = event.time): string {
  const { level, asked, repeated, report } = event;
  const { decision } = report as RoundRecord;
  const number = decision === null || decision === undefined ? '' : ` #${decision}`;
  const times = Number(repeated) > 0 ? ` (and ${repeated} times before)` : '';
  return `${time}${number} ${asked ? 'asked for' : level}: ${roundWords(event.report as RoundRecord)}${times}`;
}

export function eventWords(event: EventRecord): string {
  const { time, kind } = event;
  switch (kind) {
    case 'round':
      return decisionWords(event);
    case 'level':
      return `${time} level ${event.level}, was ${event.was}: ${printable(String(event.words))}`;
    case 'unreadable':
      return event.error === null
        ? `${time} pressure can be read again`
        : `${time} pressure cannot be read: ${printable(String(event.error))}`;
    case 'policy':
      return event.error === null
        ? `${time} another policy is in force`
        : `${time} a policy is refused: ${String(event.error).split('\n').map(printable).join('; ')}`;
    case 'plugin':
      return event.error === null
        ? `${time} plug-in ${printable(String(event.name))} answers again`
        : `${time} plug-in ${printable(String(event.name))} was cut off: ${printable(String(event.error))}`;
    case 'panic':
      return `${time} panic ${event.state}${event.problem === null ? '' : `: ${printable(String(event.problem))}`}`;
    default:
      return `${time} ${kind} ${printable(JSON.stringify(event))}`;
  }
}
