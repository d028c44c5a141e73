/**
 * Stage: none (the page's address). What the page shows, as the fragment of a link, which browsers do not send to anybody. Text that
 * was brought in is compressed into it as far as it fits; a link may come from anywhere, so what it unpacks to has a bound.
 */
import type { Scoring } from '../cli/words.js';
import { SCHEMES } from '../index.js';
import type { Adjustments, Source } from './story.js';

/** Most characters of what is packed into a link, each piece by itself. */
export const PACKED_MAX = 32_768;
/** Most bytes that a piece of a link unpacks to. */
export const UNPACKED_MAX = 8 * 1024 * 1024;
const ADJUSTMENTS_MAX = 200;

export interface LinkState {
  /** A scenario by its name, or what was pasted or dropped; null when nothing was. */
  readonly source:
    | { readonly kind: 'scenario'; readonly name: string }
    | { readonly kind: 'bytes'; readonly name: string; readonly bytes: Uint8Array }
    | null;
  readonly moment: number | null;
  readonly scoring: Scoring | null;
  readonly adjustments: Adjustments;
  readonly selected: number | null;
  readonly policy: string;
}

type Stream = ReadableWritablePair<Uint8Array<ArrayBuffer>, BufferSource>;

/** Everything that comes out of a stream, or null when it is more than `most` bytes. */
async function piped(bytes: Uint8Array, through: Stream, most: number): Promise<Uint8Array | null> {
  const reader = new Blob([bytes.slice()]).stream().pipeThrough(through).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    parts.push(value);
    length += value.length;
    if (length > most) {
      await reader.cancel();
      return null;
    }
  }
}

/** As text that a fragment may hold; null when that is longer than PACKED_MAX. */
export async function pack(bytes: Uint8Array): Promise<string | null> {
  const packed = await piped(bytes, new CompressionStream('deflate'), (PACKED_MAX * 3) / 4);
  if (packed === null) return null;
  const text = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(''));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** And back. Throws RangeError for what is not packed so, or unpacks to more than UNPACKED_MAX. */
export async function unpack(text: string): Promise<Uint8Array> {
  let bytes: Uint8Array | null = null;
  try {
    const packed = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const codes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
    bytes = await piped(codes, new DecompressionStream('deflate'), UNPACKED_MAX);
  } catch {
    throw new RangeError('the link is damaged: what is packed in it cannot be read');
  }
  if (bytes === null)
    throw new RangeError(`the link holds more than ${UNPACKED_MAX} bytes, which is more than is read`);
  return bytes;
}

/** The fragment, without `#`, and what did not fit into it. */
export async function encodeLink(state: LinkState): Promise<{ fragment: string; left: string[] }> {
  const { source, moment, scoring, adjustments, selected, policy } = state;
  const fields = new URLSearchParams({ v: '1' });
  const left: string[] = [];
  const packInto = async (key: string, bytes: Uint8Array, what: string) => {
    const packed = await pack(bytes);
    if (packed === null) left.push(what);
    else fields.set(key, packed);
  };
  if (source?.kind === 'scenario') fields.set('scenario', source.name);
  if (source?.kind === 'bytes') {
    fields.set('name', source.name);
    await packInto('data', source.bytes, source.name);
  }
  if (moment !== null) fields.set('at', String(moment));
  if (scoring) {
    fields.set('scheme', scoring.scheme);
    fields.set('by', `${scoring.maxDiscount},${scoring.age},${scoring.adj}`);
  }
  if (adjustments.length > 0) fields.set('adj', adjustments.map((pair) => pair.join(':')).join(','));
  if (selected !== null) fields.set('task', String(selected));
  if (policy.trim() !== '') await packInto('policy', new TextEncoder().encode(policy), 'the policy');
  return { fragment: fields.toString(), left };
}

function integer(text: string | null, low: number, high: number): number | null {
  const value = text !== null && /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return value >= low && value <= high ? value : null;
}

function scoringOf(fields: URLSearchParams): Scoring | null {
  const scheme = SCHEMES.find((name) => name === fields.get('scheme'));
  const [discount = '', age, adj] = (fields.get('by') ?? '').split(',');
  const maxDiscount = integer(discount, 1, 2 ** 31);
  if (scheme === undefined || maxDiscount === null) return null;
  return {
    ...{ scheme, maxDiscount },
    age: (['spare-old', 'spare-young', 'ignore'] as const).find((name) => name === age) ?? 'spare-old',
    adj: (['never-only', 'kernel'] as const).find((name) => name === adj) ?? 'never-only',
  };
}

function adjustmentsOf(text: string): Adjustments {
  const pairs = text.split(',', ADJUSTMENTS_MAX).map((pair) => {
    const [tgid = '', adj = ''] = pair.split(':');
    return [integer(tgid, 1, 2 ** 53), integer(adj, -1000, 1000)] as const;
  });
  return pairs.filter((pair): pair is [number, number] => pair[0] !== null && pair[1] !== null);
}

async function sourceOf(fields: URLSearchParams): Promise<LinkState['source']> {
  const scenario = fields.get('scenario');
  if (scenario !== null) return { kind: 'scenario', name: scenario };
  const data = fields.get('data');
  const name = (fields.get('name') ?? 'the link').slice(0, 200);
  return data === null ? null : { kind: 'bytes', name, bytes: await unpack(data) };
}

/** What a fragment says, as far as it makes sense; null when it is none of ours. Throws RangeError for one that is damaged. */
export async function decodeLink(fragment: string): Promise<LinkState | null> {
  const fields = new URLSearchParams(fragment.replace(/^#/, ''));
  if (fields.get('v') !== '1') return null;
  const policy = fields.get('policy');
  return {
    source: await sourceOf(fields),
    moment: integer(fields.get('at'), 0, 2 ** 31),
    scoring: scoringOf(fields),
    adjustments: adjustmentsOf(fields.get('adj') ?? ''),
    selected: integer(fields.get('task'), 1, 2 ** 53),
    policy: policy === null ? '' : new TextDecoder().decode(await unpack(policy)),
  };
}

/** A text that was pasted goes into a link as its bytes. */
export function linkSource(source: Source | null): LinkState['source'] {
  if (source?.kind !== 'text') return source;
  return { kind: 'bytes', name: source.name, bytes: new TextEncoder().encode(source.text) };
}
