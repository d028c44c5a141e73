// Plain reference of assembly/proc/{stat,statm,status}.ts: strings, regular expressions and BigInt, nothing clever.
// Text is latin1, one character a byte. Cells are named like the FIELD_* constants.

import * as L from '../../assembly/layout.js';

export interface Parsed {
  /** ≥ 0, or E_*; then the cells mean nothing. */
  answer: number;
  /** Cells that the parser must have written, by FIELD_* index. */
  cells: Map<number, number>;
  /** Bytes of comm as staged, latin1. */
  comm?: string;
}

class Refused extends Error {
  constructor(readonly answer: number) {
    super(`refused with ${answer}`);
  }
}

const MAX = BigInt(L.QUANTITY_MAX);

function attempt(parse: (cells: Map<number, number>) => Omit<Parsed, 'cells'>): Parsed {
  const cells = new Map<number, number>();
  try {
    return { ...parse(cells), cells };
  } catch (error) {
    if (error instanceof Refused) return { answer: error.answer, cells };
    throw error;
  }
}

/** Splits `text` where `pattern`, anchored, ends; what follows must be a blank, by which is meant any byte up to ' ' but NUL. */
function take(
  text: string,
  pattern: RegExp,
  isBlank = (byte: string) => byte > '\0' && byte <= ' ',
): [token: string, rest: string] {
  const token = pattern.exec(text)![0];
  if (text.length === token.length) throw new Refused(L.E_SHORT);
  if (!/[0-9a-f]$/.test(token) || !isBlank(text[token.length]!)) throw new Refused(L.E_FORMAT);
  return [token, text.slice(token.length + 1)];
}

function quantity(digits: string, times = 1, divisor = 1): number {
  const number = BigInt(digits);
  const result = (number * BigInt(times)) / BigInt(divisor);
  if (number > MAX || result > MAX) throw new Refused(L.E_FORMAT);
  return Number(result);
}

const STAT_FIELDS = new Map([
  [4, L.FIELD_PPID],
  [6, L.FIELD_SID],
  [9, L.FIELD_PF_FLAGS],
  [14, L.FIELD_UTIME_JIFFIES],
  [15, L.FIELD_STIME_JIFFIES],
  [19, L.FIELD_NICE],
  [20, L.FIELD_THREADS],
  [22, L.FIELD_START_TIME_TICKS],
  [24, L.FIELD_STAT_RSS_PAGES],
]);

export function referenceStat(text: string, hz: number): Parsed {
  return attempt((cells) => {
    const [tgid, afterTgid] = take(text, /^[0-9]*/);
    cells.set(L.FIELD_TGID, quantity(tgid));
    if (afterTgid === '') throw new Refused(L.E_SHORT);
    if (afterTgid[0] !== '(') throw new Refused(L.E_FORMAT);
    const close = afterTgid.lastIndexOf(')');
    if (close < 0) throw new Refused(L.E_SHORT);
    const afterComm = afterTgid.slice(close + 1);
    if (afterComm.length < 3) throw new Refused(L.E_SHORT);
    if (!/^ [A-Za-z] /.test(afterComm)) throw new Refused(L.E_FORMAT);
    let rest = afterComm.slice(3);
    for (let n = 4; n <= 24; n++) {
      let token: string;
      [token, rest] = take(rest, /^-?[0-9]*/);
      const field = STAT_FIELDS.get(n);
      if (field === undefined) continue;
      const digits = token.replace('-', '');
      const value = n === 14 || n === 15 ? quantity(digits, hz, L.USER_HZ) : quantity(digits);
      cells.set(field, token === digits ? value : field === L.FIELD_NICE ? 0 - value : 0);
    }
    cells.set(L.FIELD_KIND, L.KIND_PROCESS);
    cells.set(L.FIELD_ID_HI, 0);
    cells.set(L.FIELD_STATE, afterComm.charCodeAt(1));
    cells.set(L.FIELD_RSS_PAGES, cells.get(L.FIELD_STAT_RSS_PAGES)!);
    const comm = afterTgid
      .slice(1, close)
      .slice(0, L.COMM_BYTES - 1)
      .padEnd(L.COMM_BYTES, '\0');
    return { answer: L.OK, comm };
  });
}

export function referenceStatm(text: string): Parsed {
  return attempt((cells) => {
    const [size, rest] = take(text, /^[0-9]*/);
    cells.set(L.FIELD_TOTAL_VM_PAGES, quantity(size));
    const [resident] = take(rest, /^[0-9]*/);
    cells.set(L.FIELD_RSS_PAGES, quantity(resident));
    return { answer: L.OK };
  });
}

/** Wanted lines by the four bytes before their first colon: cell, and what a number there is worth (kB, in bytes). */
const STATUS_KEYS = new Map([
  ['\nUid', { field: L.FIELD_UID, kib: false }],
  ['Size', { field: L.FIELD_TOTAL_VM_PAGES, kib: true }],
  ['mRSS', { field: L.FIELD_RSS_PAGES, kib: true }],
  ['Anon', { field: L.FIELD_RSS_ANON_PAGES, kib: true }],
  ['hmem', { field: L.FIELD_RSS_SHMEM_PAGES, kib: true }],
  ['Swap', { field: L.FIELD_SWAP_PAGES, kib: true }],
]);

export function referenceStatus(text: string, pageSize: number): Parsed {
  return attempt((cells) => {
    for (const field of [L.FIELD_RSS_ANON_PAGES, L.FIELD_RSS_SHMEM_PAGES, L.FIELD_SWAP_PAGES]) cells.set(field, 0);
    for (const field of [L.FIELD_UID, L.FIELD_EUID, L.FIELD_CAP_LO, L.FIELD_CAP_HI]) cells.set(field, 0);
    let pte = 0;
    let pmd = 0;
    let answer: number = L.OK;
    // The first line, Name in every kernel, holds nothing that is wanted.
    for (const { index, 0: start } of text.matchAll(/(?<=\n)[^\n:]*:/g)) {
      const colon = index + start.length - 1;
      const last4 = text.slice(Math.max(colon - 4, 0), colon);
      const key = last4 === 'Size' && text[colon - 5] !== 'm' ? '' : last4;
      const value = text.slice(colon + 1).replace(/^[ \t]*/, '');
      const wanted = STATUS_KEYS.get(key);
      if (wanted) {
        const [digits, rest] = take(value, /^[0-9]*/);
        cells.set(wanted.field, wanted.kib ? quantity(digits, 1024, pageSize) : quantity(digits));
        if (wanted.field === L.FIELD_UID) cells.set(L.FIELD_EUID, quantity(take(rest, /^[0-9]*/)[0]));
        if (wanted.field === L.FIELD_TOTAL_VM_PAGES) answer = L.STATUS_HAS_MM;
      } else if (key === 'mPTE') pte = quantity(take(value, /^[0-9]*/)[0], 1024);
      else if (key === 'mPMD') pmd = quantity(take(value, /^[0-9]*/)[0], 1024);
      else if (key === 'pEff') {
        const [hex] = take(value, /^[0-9a-f]*/, (byte) => byte === '\n');
        if (hex.length > 16) throw new Refused(L.E_FORMAT);
        cells.set(L.FIELD_CAP_LO, Number(BigInt(`0x${hex}`) & 0xffffffffn));
        cells.set(L.FIELD_CAP_HI, Number(BigInt(`0x${hex}`) >> 32n));
        cells.set(L.FIELD_PGTABLES_BYTES, pte + pmd);
        return { answer };
      }
    }
    throw new Refused(L.E_SHORT);
  });
}
