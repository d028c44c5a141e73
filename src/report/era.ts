/**
 * Stage: table → points, before the points. Which kernel wrote a report, and so by which scheme it chose: from the
 * formats of its lines, which changed with the kernels, and from the release where a line says it.
 */
import type { SchemeName } from '../index.js';
import type { OomEvent } from './event.js';
import type { InvocationForm } from './invocation.js';
import type { KilledForm, SelectedForm } from './kill-lines.js';

/** Kernels that print a line so: the first and the last series, null where there is no such bound. */
type Span = readonly [from: string | null, to: string | null];

/** One thing in a log that tells its kernel. */
export interface Evidence {
  /** What was seen. */
  what: string;
  from: string | null;
  to: string | null;
}

/** Which kernels can have written a log, and by what that is known. */
export interface Era {
  release: string | null;
  /** First and last series that fit everything seen; null where open. */
  from: string | null;
  to: string | null;
  evidence: Evidence[];
  /** Schemes of these kernels, oldest first. Empty where nothing tells them. */
  candidates: SchemeName[];
  /** `sure`: one scheme fits, and nothing contradicts. `likely`: several fit. `vendor`: release and formats contradict. */
  sure: 'sure' | 'likely' | 'vendor' | 'unknown';
  /** How sure, and why, in a sentence. */
  why: string;
}

/** The first series of each scheme, as docs/schemes.md has them. */
const SINCE: readonly [SchemeName, string][] = [
  ['linux-2.4', '2.4'],
  ['linux-2.6.10', '2.6.0'],
  ['linux-2.6.11', '2.6.11'],
  ['linux-2.6.16', '2.6.16'],
  ['linux-2.6.20', '2.6.19'],
  ['linux-2.6.32', '2.6.28'],
  ['linux-2.6.36', '2.6.36'],
  ['linux-3.0', '2.6.38'],
  ['linux-3.5', '3.5'],
  ['linux-3.15', '3.15'],
  ['linux-4.17', '4.17'],
  ['linux-5.9', '5.9'],
];

const INVOCATIONS: Record<InvocationForm, Span> = {
  bare: ['2.6.0', '2.6.12'],
  order: ['2.6.13', '2.6.18'],
  oomkilladj: ['2.6.19', '2.6.29'],
  oom_adj: ['2.6.30', '2.6.35'],
  both: ['2.6.36', '3.6'],
  score: ['3.7', '4.5'],
  flags: ['4.6', null],
  nodemask: ['4.9', '4.20'],
};

const SELECTIONS: Record<SelectedForm, Span> = {
  children: ['2.6.16', '2.6.20'],
  'a-child': ['2.6.21', '2.6.35'],
  sacrifice: ['2.6.36', '5.0'],
};

const KILLS: Record<KilledForm, Span> = {
  dot: [null, '2.6.20'],
  plain: ['2.6.21', '2.6.32'],
  vsz: ['2.6.33', '2.6.35'],
  'total-vm': ['2.6.36', '4.4'],
  shmem: ['4.5', '5.0'],
  'one-line': ['5.1', '5.3'],
  pgtables: ['5.4', null],
  vendor: [null, null],
};

const PART = 1000;
const OPEN = Number.POSITIVE_INFINITY;

/** A release as a number that grows with it: 2.6.32 before 3.0 before 6.18.44. Null for what is no release. */
export function releaseNumber(release: string): number | null {
  const found = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?/.exec(release);
  if (!found) return null;
  const [major, minor, patch] = [found[1], found[2], found[3] ?? '0'].map(Number);
  return (major! * PART + minor!) * PART + patch!;
}

/** The number of the last release of a series: 4.4 reaches up to 4.4.999, 2.6.32 up to 2.6.32 alone. */
function lastNumber(series: string): number {
  const number = releaseNumber(series)!;
  return series.split('.').length === 2 ? number + PART - 1 : number;
}

function tableSpan({ columns, wide }: NonNullable<OomEvent['header']>): Span {
  const has = (name: string) => columns.includes(name);
  if (has('rss_anon')) return ['6.8', null];
  if (has('pgtables_bytes')) return wide ? ['4.19', '6.7'] : ['4.15', '4.18'];
  if (has('nr_pmds')) return ['4.0', '4.14'];
  if (has('nr_ptes')) return ['3.7', '3.19'];
  if (has('oom_adj')) return has('oom_score_adj') ? ['2.6.36', '3.6'] : ['2.6.25', '2.6.35'];
  return [null, null];
}

/** What the lines of an event say of its kernel; the table first, which is what a scheme is applied to. */
function evidenceOf(event: OomEvent): Evidence[] {
  const { header, invoker, selected, killed, context, limit, reaped, unreaped, oomGroup } = event;
  const found: Evidence[] = [];
  const add = (what: string, [from, to]: Span) => {
    if (from !== null || to !== null) found.push({ what, from, to });
  };
  if (header) add(`task table (${header.columns.slice(4).join(' ')})`, tableSpan(header));
  if (invoker) add(`invocation line (${invoker.form})`, INVOCATIONS[invoker.form]);
  if (context) add('context line', ['5.0', null]);
  if (limit) add('line about the limit', ['2.6.29', '4.20']);
  if (selected) add(`selection line (${selected.form})`, SELECTIONS[selected.form]);
  if (killed)
    add(
      `kill line (${killed.form})`,
      killed.message === 'Out of Memory' && !selected ? ['2.4', '2.6.15'] : KILLS[killed.form],
    );
  if (reaped.length + unreaped.length > 0) add('reaper line', ['4.6', null]);
  if (oomGroup !== null) add('memory.oom.group', ['4.19', null]);
  return found;
}

function low({ from }: Evidence): number {
  return from === null ? 0 : releaseNumber(from)!;
}

function high({ to }: Evidence): number {
  return to === null ? OPEN : lastNumber(to);
}

/** The schemes of the kernels between two numbers. */
function schemesBetween(from: number, to: number): SchemeName[] {
  return SINCE.filter(([, since], index) => {
    const next = SINCE[index + 1];
    const until = next ? releaseNumber(next[1])! - 1 : OPEN;
    return releaseNumber(since)! <= to && until >= from;
  }).map(([scheme]) => scheme);
}

/** `2.6.36 … 3.6`, `5.4 or later`, `2.6.15 or earlier`, `4.20`. */
export function spanWords({ from, to }: { from: string | null; to: string | null }): string {
  if (from === null) return to === null ? 'any kernel' : `${to} or earlier`;
  if (to === null) return `${from} or later`;
  return from === to ? from : `${from} … ${to}`;
}

/** The tightest bounds; where the lower is above the upper, these two pieces of evidence exclude each other. */
function bounds(evidence: Evidence[]): { from: Evidence; to: Evidence } {
  const from = evidence.reduce((best, other) => (low(other) > low(best) ? other : best));
  const to = evidence.reduce((best, other) => (high(other) < high(best) ? other : best));
  return { from, to };
}

type Fit = Omit<Era, 'release' | 'evidence'>;

/** What is left where the pieces contradict: the table, which is what a scheme is applied to. */
function vendorFit([table]: Evidence[], number: number | null, words: string): Fit {
  const { from, to, what } = table!;
  const within = number !== null && number >= low(table!) && number <= high(table!);
  const candidates = within ? schemesBetween(number, number) : schemesBetween(low(table!), high(table!));
  const why = `${words}: a vendor's kernel; taken for ${spanWords({ from, to })} by its ${what}`;
  return { from, to, candidates, sure: 'vendor', why };
}

/** By the formats alone. */
function formatFit(from: Evidence, to: Evidence): Fit {
  const span = { from: from.from, to: to.to };
  const candidates = schemesBetween(low(from), high(to));
  const several = candidates.length > 1 ? `: ${candidates.join(', ')}` : '';
  const sure = candidates.length === 1 ? 'sure' : 'likely';
  return { ...span, candidates, sure, why: `its lines are those of ${spanWords(span)}${several}` };
}

function fit(evidence: Evidence[], release: string | null): Fit {
  const number = release === null ? null : releaseNumber(release);
  const { from, to } = bounds(evidence);
  if (low(from) > high(to)) {
    const words = `its ${from.what} is of ${spanWords(from)}, its ${to.what} of ${spanWords(to)}`;
    return vendorFit(evidence, number, words);
  }
  const byFormat = formatFit(from, to);
  if (number === null) return byFormat;
  const formats = spanWords(byFormat);
  if (number < low(from) || number > high(to)) {
    return vendorFit(evidence, number, `the log names ${release}, but its lines are those of ${formats}`);
  }
  const why = `the log names ${release}, and its lines are those of ${formats}`;
  return { ...byFormat, candidates: schemesBetween(number, number), sure: 'sure', why };
}

/** Which kernel wrote the report of `event`, as far as it can be known. */
export function eraOf(event: OomEvent): Era {
  const { release } = event;
  const evidence = evidenceOf(event);
  if (evidence.length > 0) return { release, evidence, ...fit(evidence, release) };
  const number = release === null ? null : releaseNumber(release);
  const candidates = number === null ? [] : schemesBetween(number, number);
  const known = candidates.length > 0;
  const why = known ? `the log names ${release}` : 'no line of it tells the kernel';
  return { release, evidence, from: null, to: null, candidates, sure: known ? 'sure' : 'unknown', why };
}
