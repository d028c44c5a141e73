/** Stage: report. One task's points step by step, so that a reader can follow with a pocket calculator. */
import type { Machine, RankedTask, Terms } from '../index.js';
import { duration, grouped, memory } from './quantities.js';
import { ageOf, kindOf, type Scoring } from './words.js';

interface Seen {
  task: RankedTask;
  terms: Terms;
  scoring: Scoring;
  machine: Machine;
}

/** Jiffies of one CPU unit: 2^(SHIFT_HZ + 3), SHIFT_HZ being what the kernel's headers make of HZ. */
function cpuUnitJiffies(hz: number): number {
  return 2 ** (Math.floor(Math.log2(hz / 1.5)) + 4);
}

const SECONDS_OF_RUN_UNIT = 1024;

/** Where the words of a step begin, also those that are wrapped. */
export const STEP_INDENT = ' '.repeat(12);

function step(label: string, words: string): string {
  return `  ${label.padEnd(10)}${words}`;
}

function baseStep({ task, terms, scoring, machine }: Seen): string {
  const size = memory(terms.base * machine.pageSize);
  if (kindOf(scoring.scheme) === 'classic') return step('base', `total_vm = ${grouped(terms.base)} pages (${size})`);
  const kernels = kindOf(scoring.scheme) === 'modern';
  const rss = kernels ? task.statRssPages : task.rssPages;
  const parts = [`rss ${grouped(rss)}`, `swap ${grouped(task.swapPages)}`];
  if (scoring.scheme !== 'linux-2.6.36') {
    const tables = Math.floor(task.pgtablesBytes / machine.pageSize);
    parts.push(`page tables ${grouped(task.pgtablesBytes)} B ÷ ${grouped(machine.pageSize)} = ${grouped(tables)}`);
  }
  return step('base', `${parts.join(' + ')}: ${grouped(terms.base)} pages (${size})`);
}

function divisor(root: number): string {
  return root === 0 ? '0 (does not divide)' : String(root);
}

function cpuStep({ task, terms, machine }: Seen): string {
  const jiffies = grouped(task.utimeJiffies + task.stimeJiffies);
  const unit = grouped(cpuUnitJiffies(machine.hz));
  return step(
    'CPU time',
    `${jiffies} jiffies ÷ ${unit} = ${grouped(terms.cpuUnits)} units, root ${divisor(terms.cpuDiv)}`,
  );
}

function runStep({ task, terms, scoring, machine }: Seen): string {
  const ran = Math.max(Math.floor(machine.uptimeS) - Math.floor(task.startTimeTicks / 100), 0);
  const units = grouped(terms.runUnits);
  const run = `${grouped(ran)} s (${duration(ageOf(task, machine))})`;
  const divided =
    scoring.scheme === 'linux-2.4'
      ? `in jiffies ÷ ${grouped(cpuUnitJiffies(machine.hz) * 128)}`
      : `÷ ${grouped(SECONDS_OF_RUN_UNIT)}`;
  return step('run time', `${run} ${divided} = ${units} units, root of the root ${divisor(terms.runDiv)}`);
}

function rooted(terms: Terms): boolean {
  return terms.cpuUnits > 0 || terms.runUnits > 0;
}

function classicSteps(seen: Seen): string[] {
  const { terms, task } = seen;
  const lines = [baseStep(seen)];
  if (terms.children > 0) lines.push(step('children', `+ ${grouped(terms.children)} pages`));
  if (rooted(terms)) lines.push(cpuStep(seen), runStep(seen));
  const factors = terms.children > 0 ? [`+ ${grouped(terms.children)}`] : [];
  if (terms.cpuDiv > 1) factors.push(`÷ ${terms.cpuDiv}`);
  if (terms.runDiv > 1) factors.push(`÷ ${terms.runDiv}`);
  if (terms.niceTimes > 1) factors.push(`× ${terms.niceTimes}`);
  if (terms.rootDiv > 1) factors.push(`÷ ${terms.rootDiv}`);
  if (terms.rawioDiv > 1) factors.push(`÷ ${terms.rawioDiv}`);
  if (terms.disjointDiv > 1) factors.push(`÷ ${terms.disjointDiv}`);
  if (terms.niceTimes > 1) lines.push(step('nice', `${task.nice} is above 0: × ${terms.niceTimes}`));
  if (terms.rootDiv > 1) lines.push(step('root', `uid 0, euid 0 or CAP_SYS_ADMIN: ÷ ${terms.rootDiv}`));
  if (terms.rawioDiv > 1) lines.push(step('raw I/O', `CAP_SYS_RAWIO: ÷ ${terms.rawioDiv}`));
  if (terms.disjointDiv > 1) lines.push(step('nodes', `none in common: ÷ ${terms.disjointDiv}`));
  if (terms.oomAdj !== 0) factors.push(`${terms.oomAdj > 0 ? '×' : '÷'} ${grouped(2 ** Math.abs(terms.oomAdj))}`);
  if (terms.oomAdj !== 0) lines.push(step('oom_adj', `${terms.oomAdj}: shifts, ${factors.at(-1)}`));
  return [...lines, sum(seen, terms.base, factors)];
}

function modernSteps(seen: Seen): string[] {
  const { terms, task, scoring, machine } = seen;
  const lines = [baseStep(seen)];
  const thousandths = scoring.scheme === 'linux-2.6.36' || scoring.scheme === 'linux-3.0';
  const total = Math.max(machine.totalPages, 1);
  const start = thousandths ? Math.floor((terms.base / total) * 1000) : terms.base;
  if (thousandths) {
    lines.push(step('share', `${grouped(terms.base)} × 1,000 ÷ ${grouped(total)} pages = ${start} thousandths`));
  }
  const factors: string[] = [];
  if (terms.rootBonus !== 0) {
    lines.push(step('root', `CAP_SYS_ADMIN takes ${grouped(terms.rootBonus)} off`));
    factors.push(`− ${grouped(terms.rootBonus)}`);
  }
  if (terms.adjPages !== 0) {
    const unit = thousandths ? '' : ` × ${grouped(Math.floor(total / 1000))} (a thousandth of all pages)`;
    lines.push(step('adj', `oom_score_adj ${task.oomScoreAdj}${unit} = ${grouped(terms.adjPages)}`));
    factors.push(`${terms.adjPages < 0 ? '−' : '+'} ${grouped(Math.abs(terms.adjPages))}`);
  }
  lines.push(sum(seen, start, factors, start - terms.rootBonus + terms.adjPages));
  if (terms.oomScore !== null && terms.eligible)
    lines.push(step('', `/proc/${task.tgid}/oom_score: ${terms.oomScore}`));
  return lines;
}

function ownSteps(seen: Seen): string[] {
  const { terms, task, scoring, machine } = seen;
  const lines = [baseStep(seen)];
  const factors: string[] = [];
  if (terms.adjPages !== 0) {
    const unit = grouped(Math.floor(machine.totalPages / 1000));
    lines.push(
      step('adj', `oom_score_adj ${task.oomScoreAdj} × ${unit} pages = ${grouped(terms.adjPages)}, not below 0`),
    );
    factors.push(`${terms.adjPages < 0 ? '−' : '+'} ${grouped(Math.abs(terms.adjPages))}`);
  }
  if (terms.children > 0) {
    lines.push(step('family', `the others of its session: ${grouped(terms.children)} pages`));
    factors.push(`+ ${grouped(terms.children)}`);
  }
  if (scoring.scheme === 'badness' && scoring.age !== 'ignore') {
    lines.push(cpuStep(seen), runStep(seen));
    const both = `${Math.max(terms.cpuDiv, 1)} × ${Math.max(terms.runDiv, 1)}`;
    lines.push(step('discount', `${both}, at most ${scoring.maxDiscount}: ${terms.discount}`));
    factors.push(`${scoring.age === 'spare-young' ? '×' : '÷'} ${terms.discount}`);
  }
  if (terms.niceTimes > 1) {
    lines.push(step('nice', `${task.nice} is above 0: × ${terms.niceTimes}`));
    factors.push(`× ${terms.niceTimes}`);
  }
  return [...lines, sum(seen, terms.base, factors)];
}

/** The last line: the whole sum, read from left to right. `raw` is what it gives before a kernel's limits. */
function sum({ terms }: Seen, start: number, factors: string[], raw = terms.points): string {
  if (terms.points === null || raw === null) return step('= points', `none: not eligible (${terms.reason})`);
  if (factors.length === 0 && start === terms.points) return step('= points', grouped(terms.points));
  let expression = grouped(start);
  for (const factor of factors) {
    const bound = /^[×÷]/.test(factor) && / [+−] [^)]*$/.test(expression);
    expression = `${bound ? `(${expression})` : expression} ${factor}`;
  }
  const limited = raw === terms.points ? '' : `${grouped(raw)}, ${raw < terms.points ? 'raised' : 'limited'} to `;
  const note = factors.some((factor) => factor.startsWith('÷')) ? ' (each division rounds down)' : '';
  return step('= points', `${expression} = ${limited}${grouped(terms.points)}${note}`);
}

/** Every step from what a task holds to its points. */
export function stepLines(seen: Seen): string[] {
  const kind = kindOf(seen.scoring.scheme);
  const steps = kind === 'classic' ? classicSteps(seen) : kind === 'modern' ? modernSteps(seen) : ownSteps(seen);
  return [`${seen.scoring.scheme}, step by step:`, ...steps];
}
