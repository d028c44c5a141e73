/** Stage: report (in a page). Keeps the address of the page to what it shows, and copies it. */
import { byId, write } from './elements.js';
import { encodeLink, type LinkState, PACKED_MAX } from './link.js';

/** Addresses may not be changed without end. */
const PAUSE_MS = 300;

export class LinkView {
  readonly #state: () => LinkState;
  readonly #note = byId('link-note', HTMLElement);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(state: () => LinkState) {
    this.#state = state;
    byId('copy-link', HTMLButtonElement).addEventListener('click', () => void this.#copy());
  }

  /** Something else is shown. */
  changed(): void {
    clearTimeout(this.#timer);
    write(this.#note, '');
    this.#timer = setTimeout(() => void this.#put(), PAUSE_MS);
  }

  /** Returns what did not fit. One after the other: what takes longer to pack must not come last. */
  #put(): Promise<string[]> {
    const put = this.#last.then(async () => {
      const { fragment, left } = await encodeLink(this.#state());
      history.replaceState(null, '', `#${fragment}`);
      return left;
    });
    this.#last = put.catch(() => {});
    return put;
  }

  async #copy(): Promise<void> {
    clearTimeout(this.#timer);
    const left = await this.#put();
    const missing = `It is without ${left.join(' and ')}: more than ${PACKED_MAX / 1024} KiB compressed. Send that along.`;
    const holds = left.length === 0 ? 'The link holds everything.' : missing;
    const isCopied = await navigator.clipboard.writeText(location.href).then(
      () => true,
      () => false,
    );
    write(this.#note, `${isCopied ? 'Copied.' : 'The link is in the address bar.'} ${holds}`);
  }
}
