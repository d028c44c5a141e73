/** Stage: report. What one round by hand did, in words: who was chosen and why, what was sent, what came back. */
import type { GroupFacts, KillReport, PassedOver, RoundReport } from '../guard/index.js';
import type { Machine } from '../index.js';
import { builtInScheme, type Policy } from '../policy/index.js';
import { grouped, memory } from './quantities.js';
import { hitLines, sparedLines } from './rule-words.js';
import { screenOf, wrapped } from './table.js';
import { named, nobodyWords, schemeWords, spelledOut, victimWords } from './words.js';

const PROOFS: Readonly<Record<NonNullable<KillReport['releasedBy']>, string>> = {
  pidfd: 'every task of it has exited',
  threads: 'every thread of it has exited',
  mrelease: 'the kernel took its memory (process_mrelease)',
  memory: 'it holds less',
  unregistered: 'it is registered no more',
};

const milliseconds = (ms: number) => `${grouped(Math.round(ms))} ms`;

function passedOverWords({ tgid, reason }: PassedOver): string {
  const what = {
    'not there': 'no such task',
    self: 'badness itself or an ancestor of it',
    kthread: 'a kernel thread',
    rule: 'on the never list, or never by a rule',
  } as Record<string, string>;
  return `queue: ${tgid} passed over: ${what[reason] ?? reason}`;
}

/** `SIGTERM to 4711 after 1 ms, SIGKILL to 4711 after 3,002 ms` */
function signalWords({ signals, path }: KillReport): string {
  const sent = signals.map(({ signal, tgid, atMs }) => `${signal} to ${tgid} after ${milliseconds(atMs)}`);
  return sent.length === 0 ? 'nobody was signalled' : `${sent.join(', ')} (by ${path === 'kill' ? 'kill(2)' : path})`;
}

function sharerWords({ sharers }: KillReport): string[] {
  const words: string[] = [];
  if (sharers.killed.length > 0) words.push(`killed with it, as they share its memory: ${sharers.killed.join(', ')}`);
  if (sharers.unverified.length > 0) words.push(`may share its memory, not killed: ${sharers.unverified.join(', ')}`);
  return words;
}

/** Who else of its group went along, and who did not. */
function groupWords(group: GroupFacts | undefined, what: 'killed' | 'to be killed'): string[] {
  if (!group) return [];
  const bound = `${group.by} ${group.name}`;
  const left = group.spared.map(({ tgid, reason }) => `${tgid} (${reason})`);
  return [
    ...(group.killed.length > 0 ? [`${what} with it, as all of ${bound} go together: ${group.killed.join(', ')}`] : []),
    ...(left.length > 0 ? [`of ${bound}, left alone: ${left.join(', ')}`] : []),
  ];
}

function endWords(report: RoundReport, kill: KillReport): string[] {
  const { releasedBy, timings, errors } = kill;
  const lines = [signalWords(kill), ...sharerWords(kill), ...groupWords(kill.group, 'killed')];
  if (releasedBy)
    lines.push(`released after ${milliseconds(timings.releasedMs ?? timings.totalMs)}: ${PROOFS[releasedBy]}`);
  for (const { call, tgid, code } of errors) lines.push(`${call} of ${tgid}: ${code}`);
  const { freedBytes, expectedBytes, after } = report;
  if (freedBytes === null) return lines;
  const freed =
    freedBytes < 0 ? `less than others took meanwhile (${memory(-freedBytes)} less available)` : memory(freedBytes);
  lines.push(`freed: ${freed}, ${memory(expectedBytes)} expected; ${memory(after.availableBytes)} available now`);
  return lines;
}

/** The screen of a round. */
export function killLines(report: RoundReport, policy: Policy, machine: Machine): string[] {
  const { victim, terms, before, kill } = report;
  const scoring = spelledOut({ ...policy.parameters, scheme: report.terms?.scheme ?? builtInScheme(policy.scheme) });
  const head = [
    `${memory(before.totalBytes)} of memory and swap, ${memory(before.availableBytes)} available`,
    `scheme ${scoring.scheme}: ${schemeWords(scoring)}`,
    ...report.passedOver.map(passedOverWords),
  ];
  const body: string[] = [];
  if (victim && terms) body.push(victimWords(victim, terms, scoring, machine));
  else if (report.outcome === 'busy') body.push('next victim: not looked for; another kill is in flight');
  else body.push(nobodyWords(report.outcome === 'in-flight' ? 'in-flight' : 'no-victim', scoring.scheme));
  body.push(...hitLines(report.victim?.rules), ...sparedLines(report.rules));
  if (report.chosenBy === 'queue') body.push('chosen by the queue, whatever its points');
  if (kill) body.push(...endWords(report, kill));
  body.push(...groupWords(report.along, 'to be killed'));
  if (report.outcome === 'dry') body.push('nobody was signalled; with --enforce badness kill chooses again, and kills');
  const { width } = screenOf(process.stdout);
  const lines = (texts: string[]) => texts.flatMap((text) => wrapped(text, width));
  return [...lines(head), '', ...lines(body)];
}

/** Why the round did not end as it should, in one line. */
export function refusalWords(report: RoundReport): string {
  const { victim, outcome, reason } = report;
  const who = victim ? named(victim) : 'the task';
  switch (outcome) {
    case 'refused':
      return `refused: ${who}: ${reason}; nobody was signalled, and nobody else is killed instead`;
    case 'stuck':
      return `stuck: ${who}: ${reason}; its memory is not proved to be back after ${milliseconds(report.totalMs)}`;
    case 'gone':
      return `gone: ${who} (${reason}) before it could be signalled; nobody else is killed instead`;
    case 'no-victim':
      return 'no victim: no task may be chosen';
    default:
      return 'busy: another kill is in flight; nobody was signalled';
  }
}
