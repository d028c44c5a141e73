// Stage: none (facts). In: the architecture of this process. Out: the numbers of the system calls Node has no function for.

/** System calls of the killer. pidfd_open(2), pidfd_send_signal(2), process_mrelease(2), kcmp(2), eventfd(2), mlock2(2), and of the scanner. getdents64(2). */
export interface SyscallNumbers {
  readonly pidfdSendSignal: number;
  readonly pidfdOpen: number;
  readonly processMrelease: number;
  readonly kcmp: number;
  readonly eventfd2: number;
  readonly mlock2: number;
  readonly getdents64: number;
}

// Since Linux 5.1 new calls carry one number on every architecture of this table (include/uapi/asm-generic/unistd.h).
const UNIFIED = { pidfdSendSignal: 424, pidfdOpen: 434, processMrelease: 448 } as const;

const GENERIC: SyscallNumbers = { ...UNIFIED, kcmp: 272, eventfd2: 19, mlock2: 284, getdents64: 61 };

const NUMBERS: Readonly<Record<string, SyscallNumbers>> = {
  x64: { ...UNIFIED, kcmp: 312, eventfd2: 290, mlock2: 325, getdents64: 217 }, // arch/x86/entry/syscalls/syscall_64.tbl
  ia32: { ...UNIFIED, kcmp: 349, eventfd2: 328, mlock2: 376, getdents64: 220 }, // arch/x86/entry/syscalls/syscall_32.tbl
  arm: { ...UNIFIED, kcmp: 378, eventfd2: 356, mlock2: 390, getdents64: 217 }, // arch/arm/tools/syscall.tbl
  arm64: GENERIC, // include/uapi/asm-generic/unistd.h
  riscv64: GENERIC,
  loong64: GENERIC,
};

/** The numbers for `arch` (as `process.arch` spells it), or null where the table has none: then there is no native path. */
export function syscallNumbers(arch: string): SyscallNumbers | null {
  return Object.hasOwn(NUMBERS, arch) ? NUMBERS[arch]! : null;
}

/** What musl calls this architecture in the name of its library, `libc.musl-<name>.so.1`. */
export function muslName(arch: string): string {
  const names: Record<string, string> = {
    x64: 'x86_64',
    ia32: 'x86',
    arm: 'armhf',
    arm64: 'aarch64',
    riscv64: 'riscv64',
    loong64: 'loongarch64',
  };
  return names[arch] ?? arch;
}
