/**
 * Stage: gate · token, before both. The tree of domains, host side: what can run short of memory. At most 32 of them;
 * their number is the bit in a task's domain mask. One thread opens and closes them, every thread may use them.
 */
import * as L from '../assembly/layout.js';
import { BadnessError } from './errors.js';
import { ListenerCells } from './listener-cells.js';

/** What the domain is, as DOMAIN_* of the layout; the order is theirs. */
const KINDS = ['system', 'memcg', 'numa', 'subtree', 'registered'] as const;
/** What a domain is: the machine, a memory cgroup, a subtree of processes, a NUMA node, or registered tasks. */
export type DomainKind = (typeof KINDS)[number];

/** A domain to open in an engine. Numbers out of their range are RangeErrors of `openDomain`. */
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
  return inside && Atomics.load(stateOf(view.buffer, domain), 0) === L.DOMAIN_OPEN;
}

/** How often the record of a domain was opened: differs when its number was given to another. */
export function openingsOf(view: DataView, domain: number): number {
  return view.getUint32(recordAt(domain) + L.D_OPENINGS, true);
}

/** Whether the domain that was open at this count of openings still is. */
export function isStillOpen(view: DataView, domain: number, openings: number): boolean {
  return isDomainOpen(view, domain) && openingsOf(view, domain) === openings;
}

/** The numbers of a domain and of those above it, nearest first. */
export function lineOf(view: DataView, domain: number): number[] {
  const line: number[] = [];
  // The limit is for a reader that is overtaken by closing and opening: the tree itself has no cycles.
  for (let at = domain; at >= 0 && line.length < L.DOMAINS_MAX; ) {
    line.push(at);
    at = view.getInt32(recordAt(at) + L.D_PARENT, true);
  }
  return line;
}

function stateOf(buffer: ArrayBufferLike, domain: number): Int32Array {
  return new Int32Array(buffer, recordAt(domain) + L.D_STATE, 1);
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
  const openings = openingsOf(view, domain) + 1;
  new Uint8Array(buffer).fill(0, record, record + L.DOMAIN_BYTES);
  view.setUint32(record + L.D_OPENINGS, openings, true);
  view.setInt32(record + L.D_PARENT, parent, true);
  view.setUint32(record + L.D_KIND, KINDS.indexOf(kind), true);
  view.setUint32(record + L.D_ROOT, root, true);
  view.setFloat64(record + L.D_TOTAL_PAGES, totalPages, true);
  // The record is complete before its state says so.
  Atomics.store(stateOf(buffer, domain), 0, L.DOMAIN_OPEN);
  return domain;
}

/**
 * Closes a domain, and signals the listeners that it still has. Throws BadnessError `EBUSY` while it has children or a
 * kill in flight, RangeError if it is not open.
 */
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
  Atomics.store(stateOf(buffer, domain), 0, L.DOMAIN_FREE);
  // After the state: who registers meanwhile looks at it once more when it has registered.
  new ListenerCells(engine.memory).dropDomain(domain);
}
