/** Stage: report (in a page). What the reader may turn: the scheme and its parameters. */
import { grouped } from '../cli/quantities.js';
import { kindOf, type Scoring, SHOWN_SCHEMES, schemeWords } from '../cli/words.js';
import { SCHEMES } from '../index.js';
import { byId, element, write } from './elements.js';

export class ScoringView {
  readonly #scheme = byId('scheme', HTMLSelectElement);
  readonly #discount = byId('discount', HTMLInputElement);
  readonly #age = byId('age', HTMLSelectElement);
  readonly #adj = byId('adj', HTMLSelectElement);
  readonly #discountNow = byId('discount-now', HTMLOutputElement);

  /** `change` is called with every new setting. */
  constructor(change: (scoring: Scoring) => void) {
    for (const name of SHOWN_SCHEMES) this.#scheme.append(element('option', { value: name }, name));
    const tell = () => change(this.#read());
    for (const control of [this.#scheme, this.#age, this.#adj]) control.addEventListener('change', tell);
    this.#discount.addEventListener('input', tell);
  }

  show(scoring: Scoring): void {
    const { scheme, maxDiscount, age, adj } = scoring;
    this.#scheme.value = scheme;
    // One step of the slider is one doubling.
    this.#discount.value = String(Math.round(Math.log2(maxDiscount)));
    const discount = maxDiscount === 1 ? 'nothing' : grouped(maxDiscount);
    write(this.#discountNow, discount);
    this.#discount.setAttribute('aria-valuetext', discount);
    this.#age.value = age;
    this.#adj.value = adj;
    byId('own-parameters', HTMLElement).hidden = scheme !== 'badness';
    byId('adj-parameter', HTMLElement).hidden = kindOf(scheme) !== 'own';
    const words = schemeWords(scoring);
    write(byId('scheme-words', HTMLElement), `${words[0]!.toUpperCase()}${words.slice(1)}.`);
  }

  #read(): Scoring {
    return {
      scheme: SCHEMES.find((name) => name === this.#scheme.value)!,
      maxDiscount: 2 ** Number(this.#discount.value),
      age: this.#age.value as Scoring['age'],
      adj: this.#adj.value as Scoring['adj'],
    };
  }
}
