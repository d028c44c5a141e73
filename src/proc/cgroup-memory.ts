/** Stage: watch → measure. In: the files of one memory cgroup, v1 or v2. Out: limit, use and what is available, in KiB. */
import type { MemoryState } from '../pressure/memory-state.js';
import { KeyedFile, malformed, numberOf } from './keyed-file.js';
import type { KeptText, ProcFiles } from './proc-files.js';

/** Names of the same things in the two versions. v1 memory.stat does not tell reclaimable slab, so there it counts as used. */
export const FILES = {
  1: {
    limit: 'memory.limit_in_bytes',
    high: null,
    usage: 'memory.usage_in_bytes',
    stat: ['total_inactive_file', 'total_active_file', 'total_rss', 'total_swap'],
    swapLimit: 'memory.memsw.limit_in_bytes',
    kills: 'memory.oom_control',
  },
  2: {
    limit: 'memory.max',
    high: 'memory.high',
    usage: 'memory.current',
    stat: ['inactive_file', 'active_file', 'anon', 'slab_reclaimable'],
    swapLimit: 'memory.swap.max',
    kills: 'memory.events',
  },
} as const;

/** A memory cgroup, by its folder. */
export interface CgroupGroup {
  readonly dir: string;
  readonly version: 1 | 2;
}

/** Memory of a cgroup at one moment, in KiB. */
export interface CgroupState extends MemoryState {
  readonly usageKib: number;
  /** Page cache that can be dropped; dirty pages must be written first. */
  readonly fileKib: number;
  readonly anonKib: number;
}

/** Free and total swap of the machine in KiB: what a group's swap is taken from. */
export type SwapOfMachine = () => { readonly swapTotalKib: number; readonly swapFreeKib: number };

const NO_SWAP: SwapOfMachine = () => ({ swapTotalKib: 0, swapFreeKib: 0 });

/** What is in use: a number of bytes, and never `max`. */
function finiteOf(file: KeptText): number {
  const bytes = numberOf(file);
  if (!Number.isFinite(bytes)) throw malformed(file.path, 'expected a number of bytes');
  return bytes;
}

/**
 * The memory of one cgroup with all below it, read on kept descriptors.
 * The limit is `memory.max` or, where that is less, `memory.high` (v2): above it tasks stand still and nobody is ever killed, so that somebody else has to.
 * `availableKib` = limit − usage + file pages + reclaimable slab (v2), within 0 … limit; percentages are of available + anonymous memory,
 * as for the machine ({@link MachineMemory}). Swap is what the group may still have of what the machine has free.
 */
export class CgroupMemory {
  readonly dir: string;
  readonly version: 1 | 2;
  readonly #limit: KeptText;
  readonly #high: KeptText | null;
  readonly #usage: KeptText;
  readonly #stat: KeyedFile;
  readonly #swap: SwapOfMachine;
  readonly #swapLimit: KeptText | null;
  readonly #swapUsage: KeptText | null;

  /** @throws ENOENT, EACCES by errno name. */
  constructor(files: ProcFiles, group: CgroupGroup, swap: SwapOfMachine = NO_SWAP) {
    const names = FILES[group.version];
    const at = (name: string) => `${group.dir}/${name}`;
    const optional = (name: string) => (files.exists(at(name)) ? files.keep(at(name)) : null);
    this.dir = group.dir;
    this.version = group.version;
    this.#swap = swap;
    this.#limit = files.keep(at(names.limit));
    this.#high = names.high === null ? null : optional(names.high);
    this.#usage = files.keep(at(names.usage));
    this.#stat = new KeyedFile(files.keep(at('memory.stat')), names.stat, 'pairs');
    this.#swapLimit = optional(names.swapLimit);
    this.#swapUsage = group.version === 2 ? optional('memory.swap.current') : null;
  }

  /**
   * Reads now. A group without a limit any more has none to be short of: EBADMSG.
   * @throws ENODEV when the group was removed; BadnessError `EBADMSG` for what cannot be understood.
   */
  read(): CgroupState {
    const limitBytes = Math.min(numberOf(this.#limit), this.#high ? numberOf(this.#high) : Number.POSITIVE_INFINITY);
    const usageBytes = finiteOf(this.#usage);
    if (!Number.isFinite(limitBytes)) throw malformed(this.#limit.path, 'the group has no limit');
    this.#stat.refresh();
    const [inactive, active, anon, fourth] = this.#stat.values as unknown as [number, number, number, number];
    if (Number.isNaN(inactive + active + anon)) throw malformed(this.#stat.path, 'file or anonymous memory is missing');
    const slab = this.version === 2 ? fourth || 0 : 0;
    const free = limitBytes - usageBytes + inactive + active + slab;
    const totalKib = Math.floor(limitBytes / 1024);
    const availableKib = Math.max(0, Math.min(totalKib, Math.floor(free / 1024)));
    const anonKib = Math.floor(anon / 1024);
    return {
      totalKib,
      availableKib,
      basisKib: Math.max(1, availableKib + anonKib),
      usageKib: Math.floor(usageBytes / 1024),
      fileKib: Math.floor((inactive + active) / 1024),
      anonKib,
      ...this.#swapState(limitBytes, this.version === 1 ? fourth || 0 : 0),
    };
  }

  #swapState(limitBytes: number, swappedV1: number): { swapTotalKib: number; swapFreeKib: number } {
    // Taken by name: who tells the swap of the machine may tell its memory too.
    const { swapTotalKib, swapFreeKib } = this.#swap();
    if (swapTotalKib === 0 || this.#swapLimit === null) return { swapTotalKib, swapFreeKib };
    // v1 limits memory and swap together: a group that fills its memory has the difference left for swap.
    const bound = numberOf(this.#swapLimit) - (this.version === 1 ? limitBytes : 0);
    const used = this.version === 1 ? swappedV1 : this.#swapUsage ? finiteOf(this.#swapUsage) : 0;
    return {
      swapTotalKib: Math.max(0, Math.min(swapTotalKib, Math.floor(bound / 1024))),
      swapFreeKib: Math.max(0, Math.min(swapFreeKib, Math.floor((bound - used) / 1024))),
    };
  }

  /** Closes its files. */
  close(): void {
    for (const file of [this.#limit, this.#high, this.#usage, this.#stat, this.#swapLimit, this.#swapUsage])
      file?.close();
  }
}
