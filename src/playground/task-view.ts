/** Stage: report (in a page). One task: every step from what it holds to its points, and its oom_score_adj to turn. */
import { grouped } from '../cli/quantities.js';
import { stepLines } from '../cli/steps.js';
import { kindOf, type Scoring } from '../cli/words.js';
import type { Machine, RankedTask } from '../index.js';
import type { Explained } from './desk-calls.js';
import { byId, element, write } from './elements.js';
import { nameOf } from './names.js';

/** A step in two parts. */
export function stepParts(line: string): { label: string; words: string } {
  const label = line.slice(2, 12).trim();
  return { label, words: line.slice(12).trim() };
}

function ruleSteps({ hits }: Explained): { label: string; words: string }[] {
  return hits.map(({ rule, effect, points, assumed }) => {
    const comes = points === null ? '' : ` = ${grouped(points)}`;
    const doubt = assumed ? ', assumed: a page cannot look' : '';
    return { label: rule === 0 ? 'never list' : `rule ${rule}`, words: `${effect}${comes}${doubt}` };
  });
}

/** What turning oom_score_adj does in a scheme. */
export function adjWords({ scheme, adj }: Scoring): string {
  if (kindOf(scheme) === 'modern') return `${scheme} adds it in thousandths of all memory; −1000 is never.`;
  if (kindOf(scheme) === 'classic') {
    if (scheme === 'linux-2.4' || scheme === 'linux-2.6.10') return `${scheme} does not know it.`;
    return `${scheme} knows oom_adj, −17 to 15: it is turned along, by the kernel's rule.`;
  }
  return adj === 'kernel' ? 'Counts as in the kernel; −1000 is never.' : `${scheme} heeds only −1000, which is never.`;
}

export class TaskView {
  readonly #name = byId('task-name', HTMLElement);
  readonly #steps = byId('task-steps', HTMLElement);
  readonly #slider = byId('task-adj', HTMLInputElement);
  readonly #number = byId('task-adj-number', HTMLInputElement);
  readonly #reset = byId('reset-adj', HTMLButtonElement);

  constructor(change: (oomScoreAdj: number) => void, reset: () => void) {
    const tell = (text: string) => {
      const value = Math.round(Number(text));
      if (text !== '' && value >= -1000 && value <= 1000) change(value);
    };
    this.#slider.addEventListener('input', () => tell(this.#slider.value));
    this.#number.addEventListener('input', () => tell(this.#number.value));
    this.#reset.addEventListener('click', reset);
  }

  show(task: RankedTask, explained: Explained, scoring: Scoring, machine: Machine, changes: number): void {
    write(this.#name, `${nameOf(task)} ${task.tgid}`);
    const [, ...lines] = stepLines({ task, terms: explained.terms, scoring, machine });
    const rows = [...lines.map(stepParts), ...ruleSteps(explained)].flatMap(({ label, words }) => {
      const kind = label.startsWith('=') ? 'sum' : 'step';
      return [element('dt', { class: kind }, label || '\u00a0'), element('dd', { class: kind }, words)];
    });
    this.#steps.replaceChildren(...rows);
    this.#slider.value = String(task.oomScoreAdj);
    if (document.activeElement !== this.#number) this.#number.value = String(task.oomScoreAdj);
    write(byId('task-adj-note', HTMLElement), adjWords(scoring));
    this.#reset.hidden = changes === 0;
    write(this.#reset, `Take back ${changes === 1 ? 'the change' : `all ${changes} changes`} of oom_score_adj`);
  }
}
