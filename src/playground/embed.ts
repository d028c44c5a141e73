/** Stage: none (pages and programs of others). What is to be shown comes in; the address of the playground that shows it goes out. */
import { encodeLink, PACKED_MAX } from './link.js';

/** What the playground is to show. */
export interface Shown {
  /** A scenario that ships, by its name: `fork-bomb`. */
  readonly scenario?: string;
  /** Or a kernel log, a recording, or task records: as `badness report`, `--replay` and `--tasks` take them. */
  readonly text?: string;
  /** What the text is called on the page, 1 … 200 characters. Default `the link`. */
  readonly name?: string;
  /** The text of a policy file that counts there. */
  readonly policy?: string;
  /** Place of the event, snapshot or second to begin with, from 0. Default: that which the page thinks best. */
  readonly moment?: number;
}

/**
 * The address that opens the playground at `page` (where its files are served) with that. All of it stands in the fragment, which browsers
 * send to nobody. Rejects with TypeError for a scenario and a text together and for what is no address, RangeError for a text or a policy
 * that is more than 32 KiB when it is compressed, a name or a moment out of range.
 */
export async function playgroundLink(page: string | URL, shown: Shown = {}): Promise<string> {
  const { scenario, text, name = 'the link', policy = '', moment = null } = shown;
  if (scenario !== undefined && text !== undefined) throw new TypeError('shown must have scenario or text, got both');
  if (name.length < 1 || name.length > 200) {
    throw new RangeError(`name must be 1..200 characters, got ${name.length}`);
  }
  if (moment !== null && !(Number.isInteger(moment) && moment >= 0 && moment <= 2 ** 31)) {
    throw new RangeError(`moment must be an integer 0..2^31, got ${moment}`);
  }
  const source =
    scenario !== undefined
      ? ({ kind: 'scenario', name: scenario } as const)
      : text !== undefined
        ? ({ kind: 'bytes', name, bytes: new TextEncoder().encode(text) } as const)
        : null;
  const rest = { scoring: null, adjustments: [], selected: null };
  const { fragment, left } = await encodeLink({ source, moment, policy, ...rest });
  if (left.length > 0) {
    throw new RangeError(`${left.join(' and ')} must be at most ${PACKED_MAX} characters when compressed, is more`);
  }
  const address = new URL(page);
  address.hash = fragment;
  return address.href;
}
