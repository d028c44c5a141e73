/** Stage: watch → measure. In: /proc/meminfo, ZFS' arcstats. Out: memory and swap of the machine in KiB, or the reason why not. */
import type { MemoryState } from '../pressure/memory-state.js';
import { KeyedFile, malformed } from './keyed-file.js';
import type { ProcFiles } from './proc-files.js';

/** Those that decide stand first: a guard reads these ten times a second, in code that is cold each time. */
const KEYS = [
  'MemTotal',
  'MemAvailable',
  'AnonPages',
  'SwapTotal',
  'SwapFree',
  'MemFree',
  'Cached',
  'Shmem',
  'SReclaimable',
  'Hugetlb',
] as const;
const DECIDING = 5;
const GLANCE = 2;

/** ZFS may be loaded while the guard runs; looking costs as much as a reading, so it is not done at each. */
const LOOK_FOR_ZFS_EVERY = 256;

/** One reading of /proc/meminfo (proc_meminfo(5)), in KiB. */
export interface Meminfo extends MemoryState {
  readonly memTotalKib: number;
  readonly memFreeKib: number;
  /** As the kernel says it, without ZFS. */
  readonly memAvailableKib: number;
  readonly anonPagesKib: number;
  readonly cachedKib: number;
  /** tmpfs and shared memory: part of `cachedKib`, and no kill of a process that only wrote files there gives it back. */
  readonly shmemKib: number;
  readonly sReclaimableKib: number;
  /** Huge pages set aside, used or not; neither available nor anonymous. 0 before Linux 4.20, which does not tell. */
  readonly hugetlbKib: number;
  /** What ZFS' cache holds above its minimum. The kernel does not count it in MemAvailable, and ZFS gives it back under pressure. */
  readonly zfsReclaimableKib: number;
}

/**
 * The memory of the machine, read again and again on kept descriptors.
 *
 * `availableKib` = MemAvailable + what ZFS can give back, at most MemTotal. Percentages are of `basisKib` = available + AnonPages, as
 * earlyoom has computed them since 1.8: that is what processes can have at most, so memory in tmpfs, in huge pages and in the kernel, which
 * no kill brings back, does not shift the thresholds. (Of MemTotal, a machine with a full tmpfs stands below 10 % for ever.)
 *
 * Swap is read anew each time: one that appears later (zram) counts from then on. zram counts as the kernel reports it, by its nominal
 * size; the memory that it occupies itself is missing from MemAvailable already.
 */
export class MachineMemory {
  readonly #files: ProcFiles;
  readonly #file: KeyedFile;
  readonly #arcPath: string;
  #arc: KeyedFile | null = null;
  #readings = 0;

  /** `root` is where /proc is. @throws ENOENT, EACCES by errno name. */
  constructor(files: ProcFiles, root = '/proc') {
    this.#files = files;
    this.#file = new KeyedFile(files.keep(`${root}/meminfo`), KEYS, 'meminfo');
    this.#arcPath = `${root}/spl/kstat/zfs/arcstats`;
  }

  /**
   * Reads what decides. Nothing is guessed: a kernel without MemAvailable (before 3.14), a cut-off line, a value that cannot be, an arcstats
   * without its sizes are all unreadable.
   * @throws BadnessError `EBADMSG`, or the errno name of the read.
   */
  read(): MemoryState {
    this.#file.refresh(DECIDING);
    return this.#state(this.#zfs());
  }

  /** MemAvailable alone, KiB, for a glance between two readings; NaN where that is not all of it (ZFS). @throws as {@link read}. */
  available(): number {
    if (this.#arc !== null) return Number.NaN;
    this.#file.refresh(GLANCE);
    return this.#need(1);
  }

  /** Reads everything, for a report. @throws as {@link read}. */
  readAll(): Meminfo {
    const { values } = this.#file;
    this.#file.refresh();
    const zfsReclaimableKib = this.#zfs();
    return {
      ...this.#state(zfsReclaimableKib),
      memTotalKib: this.#need(0),
      memAvailableKib: this.#need(1),
      anonPagesKib: this.#need(2),
      memFreeKib: this.#need(5),
      cachedKib: values[6] || 0,
      shmemKib: values[7] || 0,
      sReclaimableKib: values[8] || 0,
      hugetlbKib: values[9] || 0,
      zfsReclaimableKib,
    };
  }

  #need(index: number): number {
    const value = this.#file.values[index]!;
    if (Number.isNaN(value)) throw malformed(this.#file.path, `${KEYS[index]} is missing`);
    return value;
  }

  #state(zfsReclaimableKib: number): MemoryState {
    const { path, values } = this.#file;
    const totalKib = this.#need(0);
    if (totalKib === 0) throw malformed(path, 'MemTotal is 0');
    // Containers with a meminfo of their own have been seen to have more available than there is.
    const availableKib = Math.min(totalKib, this.#need(1) + zfsReclaimableKib);
    // Both lines are absent from a kernel without swap, never one of them.
    const noSwap = Number.isNaN(values[3]!) && Number.isNaN(values[4]!);
    const swapTotalKib = noSwap ? 0 : this.#need(3);
    return {
      totalKib,
      availableKib,
      basisKib: Math.max(1, availableKib + this.#need(2)),
      swapTotalKib,
      swapFreeKib: noSwap ? 0 : Math.min(swapTotalKib, this.#need(4)),
    };
  }

  #zfs(): number {
    if (this.#arc === null && this.#readings++ % LOOK_FOR_ZFS_EVERY === 0 && this.#files.exists(this.#arcPath)) {
      this.#arc = new KeyedFile(this.#files.keep(this.#arcPath), ['size', 'c_min'], 'kstat');
    }
    if (this.#arc === null) return 0;
    this.#arc.refresh();
    const [size, least] = this.#arc.values as unknown as [number, number];
    // Leaving the cache out would see a shortage where there is none, and kill for it.
    if (Number.isNaN(size) || Number.isNaN(least)) throw malformed(this.#arcPath, 'size or c_min is missing');
    return Math.max(0, Math.floor((size - least) / 1024));
  }

  /** Closes its files. */
  close(): void {
    this.#file.close();
    this.#arc?.close();
    this.#arc = null;
  }
}
