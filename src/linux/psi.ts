/** Stage: watch. In: pressure stall information of the machine or of a cgroup. Out: averages, totals, and triggers to poll. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { malformed } from '../proc/keyed-file.js';
import { type Psi, type PsiKind, parsePsi } from '../proc/psi.js';
import { KeptFile } from './kept-file.js';

export { type Psi, type PsiKind, type PsiLine, parsePsi } from '../proc/psi.js';

/** Reads `/proc/pressure/memory`, or `memory.pressure` of a cgroup, on a kept descriptor. */
export class PsiReader {
  readonly #file: KeptFile;

  /** @throws ENOENT without PSI in the kernel; EOPNOTSUPP, at the first reading, when it is switched off (`psi=0`). */
  constructor(path = '/proc/pressure/memory') {
    this.#file = new KeptFile(path);
  }

  get path(): string {
    return this.#file.path;
  }

  /** @throws EOPNOTSUPP, ENODEV when the cgroup was removed, BadnessError `EBADMSG`. */
  read(): Psi {
    const text = this.#file.text();
    return parsePsi(text) ?? fail(this.#file.path, text);
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }
}

function fail(path: string, text: string): never {
  throw malformed(path, `cannot read ${JSON.stringify(text.slice(0, 60))}`);
}

/** What a trigger asks for: wake when at least `stallUs` of any `windowUs` were stalled. 0 < stall ≤ window, 500,000 ≤ window ≤ 10,000,000. */
export interface PsiTriggerSpec {
  readonly kind: PsiKind;
  readonly stallUs: number;
  readonly windowUs: number;
}

/** A trigger in the kernel. It fires as POLLPRI, at most once a window; POLLERR says that its source is gone. */
export interface PsiTrigger {
  readonly path: string;
  readonly fd: number;
  /** What was registered: not always what was asked. */
  readonly spec: PsiTriggerSpec;
  /** Set when the window had to be lengthened, in words. */
  readonly note: string | null;
  /** Closes the file, and the kernel forgets the trigger. */
  close(): void;
}

/** The trigger, or why there is none: then the averages are sampled. */
export type PsiTriggerResult = { readonly trigger: PsiTrigger } | { readonly trigger: null; readonly reason: string };

const WINDOW_LEAST_US = 500_000;
const WINDOW_MOST_US = 10_000_000;
const UNPRIVILEGED_STEP_US = 2_000_000;

/** What is written to register: the kernel puts a NUL over the last byte, so there must be one to lose. */
export function psiTriggerText({ kind, stallUs, windowUs }: PsiTriggerSpec): string {
  return `${kind} ${stallUs} ${windowUs}\0`;
}

/** The next window that the kernel lets everybody have: a multiple of 2 s; the stall grows with it, so the share stays the same. */
export function unprivilegedSpec({ kind, stallUs, windowUs }: PsiTriggerSpec): PsiTriggerSpec {
  const longer = Math.ceil(windowUs / UNPRIVILEGED_STEP_US) * UNPRIVILEGED_STEP_US;
  return { kind, stallUs: Math.min(longer, Math.round((stallUs * longer) / windowUs)), windowUs: longer };
}

/**
 * Registers a trigger. Without CAP_SYS_RESOURCE Linux 6.4+ refuses windows that are no multiple of 2 s (EINVAL), older ones the opening
 * (EACCES); then the longer window is tried, and `note` says so: such a trigger is looked at every 2 s, so it wakes later.
 * @throws RangeError when the specification is out of range. What the machine refuses is a result, not an error.
 */
export function openPsiTrigger(spec: PsiTriggerSpec, path = '/proc/pressure/memory'): PsiTriggerResult {
  const { stallUs, windowUs } = spec;
  if (!Number.isInteger(windowUs) || windowUs < WINDOW_LEAST_US || windowUs > WINDOW_MOST_US) {
    throw new RangeError(`windowUs must be ${WINDOW_LEAST_US}..${WINDOW_MOST_US}, got ${windowUs}`);
  }
  if (!Number.isInteger(stallUs) || stallUs < 1 || stallUs > windowUs) {
    throw new RangeError(`stallUs must be 1..windowUs, got ${stallUs}`);
  }
  const first = register(spec, path);
  if (typeof first === 'number') return { trigger: triggerOf(path, first, spec, null) };
  const longer = unprivilegedSpec(spec);
  if (first !== 'EINVAL' || longer.windowUs === windowUs) return { trigger: null, reason: reasonOf(first) };
  const second = register(longer, path);
  if (typeof second !== 'number') return { trigger: null, reason: reasonOf(second) };
  const note = `window of ${windowUs} µs refused (no CAP_SYS_RESOURCE): watching ${longer.stallUs} in ${longer.windowUs} µs`;
  return { trigger: triggerOf(path, second, longer, note) };
}

/** The descriptor, or the errno name. */
function register(spec: PsiTriggerSpec, path: string): number | string {
  const { O_RDWR, O_NONBLOCK } = constants;
  let fd = -1;
  try {
    fd = openSync(path, O_RDWR | O_NONBLOCK);
    writeSync(fd, Buffer.from(psiTriggerText(spec), 'latin1'));
    return fd;
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function reasonOf(code: string): string {
  const words: Record<string, string> = {
    ENOENT: 'this kernel has no PSI',
    EOPNOTSUPP: 'PSI is switched off (boot with psi=1)',
    EACCES: 'not allowed to register PSI triggers',
    EPERM: 'not allowed to register PSI triggers',
    EROFS: 'the cgroup is mounted read-only (a service wants ProtectControlGroups=no)',
    EBUSY: 'this descriptor has a trigger already',
    EINVAL: 'the kernel refused the trigger',
  };
  return `${words[code] ?? 'PSI trigger failed'}: ${code}`;
}

function triggerOf(path: string, fd: number, spec: PsiTriggerSpec, note: string | null): PsiTrigger {
  let open = true;
  return {
    path,
    fd,
    spec,
    note,
    close: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
