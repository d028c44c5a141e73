/** Stage: bytes of /proc. What this machine says of itself: page size, clock, memory. */
import { type Memory, machineAt, memoryAt, notLinux, perCpuPagesAt, uptimeAt } from '../proc/machine.js';
import type { Machine } from '../task.js';
import { liveFiles } from './live-files.js';
import { isOutOfDescriptors } from './proc-files.js';

export type { Memory } from '../proc/machine.js';

/** Size and swap use of the machine, from /proc/meminfo. */
export function readMemory(root: string, pageSize: number): Memory {
  return memoryAt(liveFiles, root, pageSize);
}

/** Pages that processors keep at hand for themselves; 0 where it cannot be read. */
export function readPerCpuPages(root: string): number {
  return perCpuPagesAt(liveFiles, root);
}

/** Mappings that a process may have (vm.max_map_count); 0 where it is not told. @throws EMFILE. */
export function readMappingsMost(root: string): number {
  try {
    return Number(liveFiles.text(`${root}/sys/vm/max_map_count`)) || 0;
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return 0;
  }
}

/** Seconds since boot, to 1/100. */
export function readUptime(root: string): number {
  return uptimeAt(liveFiles, root);
}

/** Throws BadnessError `ENOTLINUX` where `root` is no Linux /proc: to be asked first by whoever would otherwise stumble over a file of it. */
export function requireProc(root = '/proc'): void {
  try {
    readUptime(root);
  } catch (cause) {
    throw notLinux(root, cause);
  }
}

/**
 * The machine that `root` (normally /proc) belongs to. `hz` is the kernel's tick rate that CPU times are expressed at;
 * 100 takes /proc's own ticks as they are. Throws BadnessError `ENOTLINUX` where there is no such /proc.
 */
export function readMachine(root = '/proc', hz?: number): Machine {
  return machineAt(liveFiles, root, hz);
}
