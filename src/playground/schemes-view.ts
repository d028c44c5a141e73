/** Stage: report (in a page). Whom every scheme would take from the same table; a row takes its scheme over. */
import { memory } from '../cli/quantities.js';
import type { RankedTask, SchemeName } from '../index.js';
import type { Choice } from './desk-calls.js';
import { byId, element } from './elements.js';
import { nameOf } from './names.js';

export interface SchemeRow {
  readonly choice: Choice;
  readonly task: RankedTask | null;
}

function rowOf({ choice, task }: SchemeRow, chosen: SchemeName, victim: number, pageSize: number): HTMLElement {
  const { scheme, outcome, slot } = choice;
  const button = element('button', { type: 'button', 'data-scheme': scheme }, scheme);
  if (scheme === chosen) button.setAttribute('aria-current', 'true');
  const who = task ? `${nameOf(task)} ${task.tgid}` : outcome === 'in-flight' ? 'waits for a dying task' : 'nobody';
  return element(
    'tr',
    { class: slot === victim ? 'same' : 'other' },
    element('th', { scope: 'row' }, button),
    element('td', {}, who),
    element('td', { class: 'number' }, task ? memory(task.chargePages * pageSize) : '–'),
  );
}

export class SchemesView {
  readonly #body = byId('schemes', HTMLElement);

  constructor(choose: (scheme: SchemeName) => void) {
    this.#body.addEventListener('click', ({ target }) => {
      const button = target instanceof Element ? target.closest<HTMLElement>('[data-scheme]') : null;
      if (button) choose(button.dataset.scheme as SchemeName);
    });
  }

  /** What stands there is of another ranking. */
  stale(): void {
    this.#body.setAttribute('aria-busy', 'true');
  }

  show(rows: readonly SchemeRow[], chosen: SchemeName, victim: number, pageSize: number): void {
    const focused = document.activeElement?.getAttribute('data-scheme');
    this.#body.removeAttribute('aria-busy');
    this.#body.replaceChildren(...rows.map((row) => rowOf(row, chosen, victim, pageSize)));
    if (focused) this.#body.querySelector<HTMLElement>(`[data-scheme="${focused}"]`)?.focus();
  }
}
