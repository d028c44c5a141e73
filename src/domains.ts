/**
 * Stage: gate · token, before both. The tree of domains, host side: what can run short of memory. At most 32 of them;
 * their number is the bit in a task's domain mask. One thread opens and closes them, every thread may use them.
 */
import * as L from '../assembly/layout.js';
import { BadnessError } from './errors.js';

/** What the domain is, as DOMAIN_* of the layout; the order is theirs. */
const KINDS = ['system', 'memcg', 'numa', 'subtree', 'registered'] as const;
export type DomainKind = (typeof KINDS)[number];

export interface DomainOptions {
  kind: DomainKind;
  /** Number of the domain above. The first domain opened is the system and has none. */
  parent?: number;
  /** Root tgid of a subtree domain. */
  root?: number;
  /** Pages that there are in all, 0 … 2^53; 0 when not known. */
  totalPages?: number;
}

interface DomainEngine {
  readonly memory: WebAssembly.Memory;
}

const WORD_BYTES = 8;

/** Address of a domain's record. */
export function recordAt(domain: number): number {
  return L.DOMAINS + domain * L.DOMAIN_BYTES;
}

/** False too for what is no number of a domain. */
export function isDomainOpen(view: DataView, domain: number): boolean {
  const inside = Number.isInteger(domain) && domain >= 0 && domain < L.DOMAINS_MAX;
  return inside && view.getUint32(recordAt(domain) + L.D_STATE, true) === L.DOMAIN_OPEN;
}

/**
 * Opens a domain and returns its number, 0 for the first. Its gate is a level gate until it is given rules.
 * Throws RangeError for a parent that is not open, BadnessError `E2BIG` when there are 32 already.
 */
export function openDomain(engine: DomainEngine, options: DomainOptions): number {
  const { kind, parent = -1, root = 0, totalPages = 0 } = options;
  const { buffer } = engine.memory;
  const view = new DataView(buffer);
  let domain = 0;
  while (isDomainOpen(view, domain)) ++domain;
  if (domain === L.DOMAINS_MAX) throw new BadnessError('E2BIG', `domains must be at most ${L.DOMAINS_MAX}`);
  if (domain === 0 ? parent !== -1 : !isDomainOpen(view, parent)) {
    throw new RangeError(`parent must be an open domain, or -1 for the system, got ${parent}`);
  }
  const record = recordAt(domain);
  new Uint8Array(buffer).fill(0, record, record + L.DOMAIN_BYTES);
  view.setInt32(record + L.D_PARENT, parent, true);
  view.setUint32(record + L.D_KIND, KINDS.indexOf(kind), true);
  view.setUint32(record + L.D_ROOT, root, true);
  view.setFloat64(record + L.D_TOTAL_PAGES, totalPages, true);
  // The record is complete before its state says so.
  Atomics.store(new Int32Array(buffer), (record + L.D_STATE) / 4, L.DOMAIN_OPEN);
  return domain;
}

/** Closes a domain. Throws BadnessError `EBUSY` while it has children or a kill in flight, RangeError if it is not open. */
export function closeDomain(engine: DomainEngine, domain: number): void {
  const { buffer } = engine.memory;
  const view = new DataView(buffer);
  if (!isDomainOpen(view, domain)) throw new RangeError(`domain must be open, got ${domain}`);
  const record = recordAt(domain);
  const parents = Array.from(
    { length: L.DOMAINS_MAX },
    (_, other) => isDomainOpen(view, other) && view.getInt32(recordAt(other) + L.D_PARENT, true),
  );
  const token = (record + L.D_TOKEN) / WORD_BYTES;
  // Taking the token for good comes first, so that no operation is ever in flight in a domain that is not there.
  if (
    parents.includes(domain) ||
    Atomics.compareExchange(new BigInt64Array(buffer), token, 0n, BigInt(L.TOKEN_CLOSED)) !== 0n
  ) {
    throw new BadnessError('EBUSY', `domain ${domain} has children or a kill in flight`);
  }
  Atomics.store(new Int32Array(buffer), (record + L.D_STATE) / 4, L.DOMAIN_FREE);
}
