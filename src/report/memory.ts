/** Stage: bytes → table. The state of memory in a report: of the machine, or of the cgroup whose limit was hit. */

/** What the machine had. Null where the report does not say; `counters` holds what else it says, in pages. */
export interface MachineMemory {
  ramPages: number | null;
  reservedPages: number | null;
  totalSwapKb: number | null;
  freeSwapKb: number | null;
  /** `free`, `active_anon`, `slab_unreclaimable`, …: pages, as far as the kernel names them. */
  counters: Record<string, number>;
  /** Zones, with what is free in them and the watermark below which the kernel looks for more. */
  zones: { name: string; freeKb: number; minKb: number }[];
}

/** Use and limit of a memory cgroup, kB. */
export interface Usage {
  usageKb: number;
  /** Null where there is no limit. */
  limitKb: number | null;
  /** How often an allocation hit the limit. */
  failcnt: number;
}

/** What the cgroup had. */
export interface CgroupMemory {
  memory: Usage | null;
  /** Memory and swap together, v1. */
  memorySwap: Usage | null;
  /** Swap alone, v2. */
  swap: Usage | null;
  kmem: Usage | null;
  /** Whose statistics follow. */
  path: string | null;
  /** `anon`, `total_rss`, …: bytes or events, as memory.stat has them. */
  stats: Record<string, number>;
}

export function emptyMachineMemory(): MachineMemory {
  return {
    ramPages: null,
    reservedPages: null,
    totalSwapKb: null,
    freeSwapKb: null,
    counters: {},
    zones: [],
  };
}

export function emptyCgroupMemory(): CgroupMemory {
  return { memory: null, memorySwap: null, swap: null, kmem: null, path: null, stats: {} };
}

const ENTRIES_MAX = 256;
const ZONES_MAX = 64;

const PAGE_LINES: readonly [key: 'ramPages' | 'reservedPages', pattern: RegExp][] = [
  ['ramPages', /^(\d{1,15}) pages (?:of )?RAM *$/],
  ['reservedPages', /^(\d{1,15}) (?:pages reserved|reserved pages) *$/],
];
const SWAP = /^(Total|Free) swap(?: {0,4}=|:) {0,16}(\d{1,15})kB *$/;
const ZONE = /^(?:Node (\d{1,5}) )?([A-Z][A-Za-z0-9]{1,15}) free:(\d{1,15})kB (?:boost:\d{1,15}kB )?min:(\d{1,15})kB /;
/** The summary below Mem-Info names pages; the line of each node says the same in kB. */
const COUNTERS =
  /^ {0,40}(?:[Aa]ctive(?:_anon|_file)?|unevictable|slab_\w{1,20}|mapped|free|sec_pagetables):\d{1,15}(?: |$)/;
const COUNTER = /([A-Za-z_]{1,40}):(\d{1,15})(?=\s|#|$)/g;

/** Takes the first value of each kind: what comes later is of another event. */
function first<K extends string>(into: { [key in K]: number | null }, key: K, value: number): void {
  into[key] ??= value;
}

function readCounters(text: string, into: Record<string, number>): void {
  for (const [, name, value] of text.matchAll(COUNTER)) {
    const key = name!.toLowerCase();
    if (!Object.hasOwn(into, key) && Object.keys(into).length < ENTRIES_MAX) into[key] = Number(value);
  }
}

/** Takes in what a line says about the machine's memory. False when it says nothing about it. */
export function readMachineLine(text: string, memory: MachineMemory): boolean {
  for (const [key, pattern] of PAGE_LINES) {
    const found = pattern.exec(text);
    if (!found) continue;
    first(memory, key, Number(found[1]));
    return true;
  }
  const swap = SWAP.exec(text);
  if (swap) {
    first(memory, swap[1] === 'Total' ? 'totalSwapKb' : 'freeSwapKb', Number(swap[2]));
    return true;
  }
  const zone = ZONE.exec(text);
  if (zone) {
    const name = zone[1] === undefined ? zone[2]! : `${zone[2]} of node ${zone[1]}`;
    if (memory.zones.length < ZONES_MAX) {
      memory.zones.push({ name, freeKb: Number(zone[3]), minKb: Number(zone[4]) });
    }
    return true;
  }
  if (text.length > 1000 || !COUNTERS.test(text)) return text === 'Mem-Info:' || text === 'Mem-info:';
  readCounters(text, memory.counters);
  return true;
}

const USAGE = /^(memory\+swap|memory|swap|kmem): usage (\d{1,20})kB, limit (\d{1,20})kB, failcnt (\d{1,20}) *$/;
/** No machine has so much: what kernels print for no limit is above. */
const UNLIMITED_KB = 2 ** 50;
const USAGES = { memory: 'memory', 'memory+swap': 'memorySwap', swap: 'swap', kmem: 'kmem' } as const;
const STATS = 'Memory cgroup stats for ';
const OLD_STATS = /: ?((?:[a-z_]{1,40}:\d{1,15}KB ?){1,64})$/;
const STAT = /^ {0,40}([a-z][a-z0-9_]{1,60}) (\d{1,20}) *$/;

/** One `key:32KB` each on the same line (up to 4.20). */
function readOldStats(text: string, stats: Record<string, number>): void {
  for (const [, name, kb] of text.matchAll(/([a-z_]{1,40}):(\d{1,15})KB/g)) stats[name!] = Number(kb) * 1024;
}

/** Reads the lines about a cgroup: whose statistics a line belongs to depends on the lines before. */
export class CgroupReader {
  private inStats = false;

  /** Takes in what a line says about the cgroup. False when it says nothing about one. */
  read(text: string, memory: CgroupMemory): boolean {
    const usage = USAGE.exec(text);
    if (usage) {
      const [, name, used, limit, failcnt] = usage;
      const key = USAGES[name as keyof typeof USAGES];
      const limitKb = Number(limit) < UNLIMITED_KB ? Number(limit) : null;
      memory[key] ??= { usageKb: Number(used), limitKb, failcnt: Number(failcnt) };
      return true;
    }
    if (text.startsWith(STATS)) return this.begin(text.slice(STATS.length), memory);
    const stat = this.inStats ? STAT.exec(text) : null;
    if (!stat) return false;
    // Limits among the statistics are 2^63 − 1 where there are none.
    const value = Number(stat[2]);
    if (value <= 2 ** 53 && Object.keys(memory.stats).length < ENTRIES_MAX) memory.stats[stat[1]!] ??= value;
    return true;
  }

  /** The table ends the statistics. */
  leave(): void {
    this.inStats = false;
  }

  private begin(rest: string, memory: CgroupMemory): true {
    const old = rest.length > 8000 ? null : OLD_STATS.exec(rest);
    // The first is the cgroup itself; those below it follow in old kernels.
    const mine = memory.path === null;
    this.inStats = mine && !old;
    if (!mine) return true;
    memory.path = old ? rest.slice(0, old.index) : rest.replace(/:$/, '');
    if (old) readOldStats(old[1]!, memory.stats);
    return true;
  }
}
