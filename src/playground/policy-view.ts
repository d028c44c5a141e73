/** Stage: report (in a page). The text of a policy, and what is wrong with it while it is written. */
import { counted } from '../cli/quantities.js';
import { byId, element } from './elements.js';
import type { PolicyVerdict } from './policy-desk.js';

const EXAMPLE = `version = 1

[[rule]]                  # never the database
comm = "postgres*"
never = true

[[rule]]                  # compilers count twice
comm = "/^(cc1|tsc|rustc)/"
times = "2/1"
`;

/** A pause in typing. */
const PAUSE_MS = 250;

export class PolicyView {
  readonly #text = byId('policy', HTMLTextAreaElement);
  readonly #state = byId('policy-state', HTMLElement);
  readonly #change: (text: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(change: (text: string) => void) {
    this.#change = change;
    this.#text.placeholder = EXAMPLE;
    this.#text.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#change(this.text), PAUSE_MS);
    });
    byId('example-policy', HTMLButtonElement).addEventListener('click', () => {
      this.text = EXAMPLE;
      this.#change(EXAMPLE);
    });
  }

  get text(): string {
    return this.#text.value;
  }

  set text(text: string) {
    this.#text.value = text;
  }

  show({ problems, inForce }: PolicyVerdict): void {
    this.#text.setAttribute('aria-invalid', String(problems.length > 0));
    if (problems.length > 0) {
      const lines = problems.map(({ line, text }) => {
        const button = element('button', { type: 'button' }, `line ${line}`);
        button.addEventListener('click', () => this.#goTo(line));
        return element('li', {}, button, ` ${text}`);
      });
      const words = element('p', {}, 'Not in force: what was before still is.');
      this.#state.replaceChildren(element('ul', { class: 'problems' }, ...lines), words);
    } else if (inForce) {
      const { rules, never, domains, scheme } = inForce;
      const several = domains > 1 ? ` The first of its ${domains} domains is shown.` : '';
      const words = `In force: scheme ${scheme}, ${counted(rules, 'rule')}, ${never} names that are never chosen.`;
      this.#state.replaceChildren(element('p', { class: 'good' }, words + several));
    } else {
      this.#state.replaceChildren(element('p', {}, 'No policy: the scheme alone decides.'));
    }
  }

  #goTo(line: number): void {
    const lines = this.text.split('\n');
    const from = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0);
    this.#text.focus();
    this.#text.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
  }
}
