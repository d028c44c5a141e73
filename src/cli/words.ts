/** Stage: report. In words: what a scheme looks at and whom it spares, and why the one who would go is the one. */
import {
  DEFAULT_SCHEME,
  type Machine,
  type Outcome,
  type RankedTask,
  SCHEMES,
  type SchemeName,
  type ScoreOptions,
  type Terms,
} from '../index.js';
import { printable } from './names.js';
import { duration, grouped, memory } from './quantities.js';

/** Our own schemes first, then the kernels in the order of their years. */
export const SHOWN_SCHEMES = [...SCHEMES].sort(
  (a, b) => Number(a.startsWith('linux-')) - Number(b.startsWith('linux-')),
);

export type SchemeKind = 'own' | 'classic' | 'modern';

const CLASSIC: readonly SchemeName[] = [
  ...(['linux-2.4', 'linux-2.6.10', 'linux-2.6.11', 'linux-2.6.16', 'linux-2.6.20', 'linux-2.6.32'] as const),
];

export function kindOf(scheme: SchemeName): SchemeKind {
  if (CLASSIC.includes(scheme)) return 'classic';
  return scheme.startsWith('linux-') ? 'modern' : 'own';
}

/** Scoring options with nothing left out. */
export type Scoring = Required<Pick<ScoreOptions, 'scheme' | 'maxDiscount' | 'age' | 'adj'>>;

export function spelledOut(options: ScoreOptions): Scoring {
  const { scheme = DEFAULT_SCHEME, maxDiscount = 4, age = 'spare-old', adj = 'never-only' } = options;
  return { scheme, maxDiscount, age, adj };
}

const CHARGE = 'what comes back (rss, swap, page tables)';

function ageWords({ age, maxDiscount }: Scoring): string {
  if (age === 'ignore' || maxDiscount === 1) return 'age and work done do not count';
  if (age === 'spare-old') return `spares long-running and hard-working tasks (÷ ${maxDiscount} at most)`;
  return `spares young tasks: long-running and hard-working ones go first (× ${maxDiscount} at most)`;
}

function classicWords(scheme: SchemeName): string {
  const children = scheme === 'linux-2.4' || scheme === 'linux-2.6.10' ? '' : ", and its children's";
  const adj = children === '' ? '' : '; oom_adj shifts';
  return `address space (total_vm)${children}; spares long-running and hard-working tasks, root and raw I/O${adj}`;
}

function modernWords(scheme: SchemeName): string {
  const base = scheme === 'linux-2.6.36' ? 'rss and swap' : 'rss, swap and page tables';
  const root = scheme === 'linux-4.17' || scheme === 'linux-5.9' ? '' : '; root gets 3 % off';
  return `${base}, plus oom_score_adj thousandths of memory${root}; age and work done do not count`;
}

/** What a scheme looks at, and whom it favours. */
export function schemeWords(scoring: Scoring): string {
  const { scheme } = scoring;
  const kind = kindOf(scheme);
  if (kind === 'classic') return classicWords(scheme);
  if (kind === 'modern') return modernWords(scheme);
  const adj = scoring.adj === 'kernel' ? 'oom_score_adj counts as in the kernel' : 'only oom_score_adj -1000 counts';
  if (scheme === 'badness') return `${CHARGE}; ${ageWords(scoring)}; ${adj}`;
  const base = scheme === 'family' ? `${CHARGE} of the whole session` : `${CHARGE}, largest first`;
  return `${base}; age and work done do not count; ${adj}`;
}

function signed(pages: number, pageSize: number): string {
  return `${pages < 0 ? 'takes' : 'adds'} ${memory(Math.abs(pages) * pageSize)}${pages < 0 ? ' off' : ''}`;
}

/** Each step that changed the points of a task, in words. */
function changes(task: RankedTask, terms: Terms, scoring: Scoring, machine: Machine): string[] {
  const words: string[] = [];
  const pages = scoring.scheme !== 'linux-2.6.36' && scoring.scheme !== 'linux-3.0';
  const amount = (term: number) => (pages ? signed(term, machine.pageSize) : `counts ${term} thousandths`);
  if (kindOf(scoring.scheme) === 'classic') {
    if (terms.children > 0) words.push(`its children add ${grouped(terms.children)} pages`);
    if (terms.cpuDiv > 1) words.push(`its CPU time divides by ${terms.cpuDiv}`);
    if (terms.runDiv > 1) words.push(`its run time divides by ${terms.runDiv}`);
    if (terms.rootDiv > 1) words.push(`being root divides by ${terms.rootDiv}`);
    if (terms.rawioDiv > 1) words.push(`raw I/O divides by ${terms.rawioDiv}`);
    if (terms.oomAdj !== 0) words.push(`oom_adj shifts by ${terms.oomAdj}`);
  } else if (terms.discount > 1) {
    const verb = scoring.age === 'spare-young' ? 'multiply' : 'divide';
    words.push(`its age and CPU time ${verb} by ${terms.discount}`);
  }
  if (terms.rootBonus !== 0) words.push(`being root ${amount(-terms.rootBonus)}`);
  if (terms.adjPages !== 0) words.push(`oom_score_adj ${task.oomScoreAdj} ${amount(terms.adjPages)}`);
  if (terms.niceTimes > 1) words.push(`being niced multiplies by ${terms.niceTimes}`);
  return words;
}

function unchanged(scoring: Scoring): string {
  if (scoring.scheme === 'resident') return 'nobody gives back more';
  if (kindOf(scoring.scheme) === 'modern') return 'nothing adds to it or takes off';
  return 'nothing discounts it';
}

/** `4711 (node)` */
export function named(task: { tgid: number; comm: string }): string {
  return `${task.tgid} (${printable(task.comm)})`;
}

/** Seconds since the task started; 0 when that is in the future of the machine's clock. */
export function ageOf(task: { startTimeTicks: number }, machine: Machine): number {
  return Math.max(machine.uptimeS - task.startTimeTicks / 100, 0);
}

/** Why this one, in one sentence. */
export function victimWords(task: RankedTask, terms: Terms, scoring: Scoring, machine: Machine): string {
  const facts = [`gives back ${memory(task.chargePages * machine.pageSize)}`];
  if (kindOf(scoring.scheme) === 'classic') facts.unshift(`${memory(terms.base * machine.pageSize)} of address space`);
  if (scoring.scheme === 'family') {
    facts.push(`its session ${memory((terms.base + terms.children) * machine.pageSize)} in all`);
  }
  facts.push(`${duration(ageOf(task, machine))} old`);
  const steps = changes(task, terms, scoring, machine);
  return `next victim: ${named(task)}: ${[...facts, ...(steps.length > 0 ? steps : [unchanged(scoring)])].join(', ')}`;
}

/** Why there is none. */
export function nobodyWords(outcome: Outcome, scheme: SchemeName): string {
  if (outcome === 'in-flight') return `next victim: nobody; ${scheme} would wait for a task that is dying already`;
  return 'next victim: nobody; no task may be chosen';
}
