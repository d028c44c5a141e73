/** Stage: report. What a guard says, in words: one line an event. */
import type { GroupFacts, GuardEvent, RoundReport } from '../guard/index.js';
import type { Machine, RankedTask } from '../index.js';
import type { GuardFacts } from '../linux/index.js';
import { builtInScheme, type Policy, pluginName, type Threshold } from '../policy/index.js';
import { printable } from './names.js';
import { grouped, memory } from './quantities.js';
import { named, schemeWords, spelledOut, victimWords } from './words.js';

/** A line and how urgent it is, as syslog counts: 3 error, 4 warning, 5 notice, 6 information. */
export interface Line {
  readonly priority: 3 | 4 | 5 | 6;
  readonly text: string;
}

function boundWords({ percent, bytes }: Threshold): string {
  const words = [
    percent === undefined ? '' : `${Number(percent.toFixed(3))} %`,
    bytes === undefined ? '' : memory(bytes),
  ];
  return words.filter((word) => word !== '').join(' and ');
}

function levelWords({ available, swapFree }: Policy['thresholds']['term']): string {
  const swap = swapFree.percent === 100 ? '' : `, swap free <= ${boundWords(swapFree)}`;
  return `available <= ${boundWords(available)}${swap}`;
}

function thresholdWords({ thresholds: { warn, term, kill } }: Pick<GuardFacts, 'thresholds'>): string {
  return `warn: ${levelWords(warn)}; SIGTERM: ${levelWords(term)}; SIGKILL: ${levelWords(kill)}`;
}

/** The same in one line, for the status of the service. */
export function statusLine(facts: GuardFacts): string {
  return `guards ${printable(facts.domain)}, ${facts.enforce ? 'enforcing' : 'dry run'}; ${thresholdWords(facts)}`;
}

/** What a policy does, in the order of what matters most. */
function policyFacts({ enforce, thresholds, scheme, parameters }: Policy): Line[] {
  const scoring = spelledOut({ ...parameters, scheme: builtInScheme(scheme) });
  const within =
    typeof scheme === 'string' ? '' : `plug-in ${pluginName(scheme)} within ${scheme.deadlineMs} ms, else `;
  const lines = [
    enforce ? 'enforcing: kills when memory runs short' : 'dry run: says who would be killed; --enforce kills',
    thresholdWords({ thresholds }),
    `${within}scheme ${scoring.scheme}: ${schemeWords(scoring)}`,
  ];
  return lines.map((text) => ({ priority: 6, text }));
}

/** When it acts, and how it chooses. */
export function policyLines(policy: Policy): string[] {
  const [, ...lines] = policyFacts(policy);
  return lines.map(({ text }) => text);
}

/** What the guard is about, when it begins. */
export function startLines(facts: GuardFacts, policy: Policy, version: string): Line[] {
  const signals = facts.signals === 'pidfd' ? 'pidfd' : `kill(2), because of: ${facts.signalsReason}`;
  const lines = [
    `badness ${version} guards ${facts.domain} (${facts.reason}); ${facts.memory}`,
    ...policyFacts(policy).map(({ text }) => text),
    `signals: ${signals}; waits with ${facts.waits}; ${facts.locked ? 'locked in memory' : 'not locked in memory'}`,
    ...facts.notes.map((note) => `note: ${note}`),
  ];
  return lines.map((text) => ({ priority: 6, text }));
}

const milliseconds = (ms: number) => `${grouped(Math.round(ms))} ms`;

/** How many of its group went along. */
function alongWords(group: GroupFacts | undefined): string {
  if (!group || group.killed.length === 0) return '';
  const left = group.spared.length > 0 ? `, ${group.spared.length} left alone` : '';
  return ` and ${group.killed.length} more of ${group.by} ${group.name}${left}`;
}

function killedWords({ victim, kill, freedBytes, after }: RoundReport): string {
  const signals = [...new Set(kill!.signals.map(({ signal }) => signal))].join(', then ');
  const freed = freedBytes !== null && freedBytes > 0 ? `${memory(freedBytes)} freed` : 'its memory is back';
  const took = milliseconds(kill!.timings.releasedMs ?? kill!.timings.totalMs);
  return `killed ${named(victim!)}${alongWords(kill!.group)} with ${signals}: ${freed} after ${took}, ${memory(after.availableBytes)} available`;
}

function endWords(report: RoundReport): string {
  const who = report.victim ? named(report.victim) : 'nobody';
  const why = report.reason ? ` (${report.reason})` : '';
  switch (report.outcome) {
    case 'released':
      return killedWords(report);
    case 'stuck':
      return `stuck: ${who}${why}: signalled, its memory is not back after ${milliseconds(report.totalMs)}; the next one follows`;
    case 'refused':
      return `refused: ${who}${why}; nobody else is killed instead`;
    case 'gone':
      return `gone: ${who}${why} before it could be signalled`;
    case 'no-victim':
      return 'no victim: no member of the domain may be chosen';
    case 'in-flight':
      return 'in flight: somebody else is killing; waiting for that memory';
    case 'busy':
      return 'busy: another guard of this line of domains is killing';
    case 'called-off':
      return 'called off: memory is not short any more';
    case 'left-alone':
      return `left alone: ${who}; the reaction that was chosen does not kill`;
    case 'dry':
      return 'dry run: nobody was signalled';
  }
}

const URGENT: Partial<Record<RoundReport['outcome'], Line['priority']>> = {
  released: 4,
  stuck: 3,
  refused: 3,
  'no-victim': 3,
};

function pluginWhy(victim: RankedTask, name: string, machine: Machine): string {
  const size = memory(victim.chargePages * machine.pageSize);
  return `${named(victim)}: gives back ${size}, ${grouped(victim.points ?? 0)} points by plug-in ${name}`;
}

/** Why this one, without the words that a ranking begins with. */
function whyWords({ victim, terms, plugin }: RoundReport, policy: Policy, machine: Machine): string {
  if (!victim || !terms) return '';
  const scoring = spelledOut({ ...policy.parameters, scheme: terms.scheme });
  if (plugin?.answered) return pluginWhy(victim, plugin.name, machine);
  const why = victimWords(victim, terms, scoring, machine).replace(/^next victim: /, '');
  return `${why}, ${grouped(victim.points ?? 0)} points`;
}

function roundLines(event: Extract<GuardEvent, { kind: 'round' }>, policy: Policy, machine: Machine): Line[] {
  const { report, repeated, level } = event;
  const why = whyWords(report, policy, machine);
  const again = repeated > 0 ? ` (and ${repeated} times before, not told)` : '';
  const signal = level === 'kill' ? 'SIGKILL' : 'SIGTERM';
  if (report.outcome === 'dry')
    return [{ priority: 4, text: `would send ${signal} to ${why}${alongWords(report.along)}${again}` }];
  const end: Line = { priority: URGENT[report.outcome] ?? 5, text: `${endWords(report)}${again}` };
  return report.kill && why ? [{ priority: 4, text: `chosen: ${why}` }, end] : [end];
}

/** `policy`: the one in force, which is the new one unless something is wrong with that. */
function reloadLines(error: string | null, policy: Policy): Line[] {
  if (error === null) return [{ priority: 5, text: 'another policy is in force:' }, ...policyFacts(policy)];
  const wrong = error.split('\n').map((text): Line => ({ priority: 3, text }));
  return [{ priority: 3, text: 'the policy is refused, the one before stays in force:' }, ...wrong];
}

function pluginLine(name: string, error: string | null): Line {
  if (error === null) return { priority: 5, text: `plug-in ${name} answers again` };
  return { priority: 3, text: `plug-in ${name} was cut off, the fallback scheme decides: ${error}` };
}

const PANIC: { readonly [state in Extract<GuardEvent, { kind: 'panic' }>['state']]: string } = {
  calm: 'called off',
  'handing-off': 'begins',
  waiting: 'handed off, waits for its end (panic.delay_s)',
  staying: 'handed off, and stays (panic.delay_s = 0)',
  ended: 'ends (panic.end)',
  failed: 'could not end (panic.end)',
};

function panicLine({ state, problem }: Extract<GuardEvent, { kind: 'panic' }>): Line {
  return { priority: state === 'calm' ? 5 : 3, text: `panic ${PANIC[state]}${problem === null ? '' : `: ${problem}`}` };
}

/** The lines of an event. */
export function eventLines(event: GuardEvent, policy: Policy, machine: Machine): Line[] {
  switch (event.kind) {
    case 'level':
      return [
        {
          priority: event.level === 'none' ? 6 : 4,
          text: `${event.level === 'none' ? 'calm' : event.level}: ${event.words}`,
        },
      ];
    case 'unreadable':
      return event.error === null
        ? [{ priority: 5, text: 'pressure can be read again' }]
        : [{ priority: 3, text: `pressure cannot be read, so nobody is killed: ${event.error}` }];
    case 'round':
      return roundLines(event, policy, machine);
    case 'policy':
      return reloadLines(event.error, policy);
    case 'plugin':
      return [pluginLine(event.name, event.error)];
    case 'failed':
      return [{ priority: 3, text: `a round failed: ${event.error}` }];
    case 'panic':
      return [panicLine(event)];
    case 'resumed':
      return [{ priority: 6, text: `resumed after ${Math.round(event.sleptMs / 1000)} s of suspend` }];
  }
}
