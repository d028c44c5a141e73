/**
 * Stage: bytes of /proc, as the tests believe them: files of memory in plain TypeScript, by lines and BigInt. Text is latin1, one
 * character a byte; null stands for what must be refused (EBADMSG).
 */

const WHOLE = BigInt(Number.MAX_SAFE_INTEGER);

/** The value of the first line with this key; undefined without one, null where it makes no sense. The last line must be whole. */
export function keyed(text: string, key: string, form: 'meminfo' | 'pairs'): number | null | undefined {
  const head = form === 'meminfo' ? `${key}:` : `${key} `;
  const at = `\n${text}`.indexOf(`\n${head}`);
  if (at < 0) return undefined;
  const [line, ...more] = text.slice(at).split('\n');
  const value = line!.slice(head.length);
  const digits = (form === 'meminfo' ? /^ *([0-9]+)(?: kB)?$/ : /^ *([0-9]+)$/).exec(value)?.[1];
  if (digits === undefined || more.length === 0) return null;
  const number = BigInt(digits);
  return number > WHOLE ? null : Number(number);
}

/** memory.current and its like: bytes, Infinity for what no machine has, null for no number. */
export function bytesIn(text: string): number | null {
  const word = text.replace(/^\s+|\s+$/g, '');
  if (word === 'max') return Number.POSITIVE_INFINITY;
  if (!/^[0-9]+$/.test(word) || word.length > 20) return null;
  return BigInt(word) > WHOLE ? Number.POSITIVE_INFINITY : Number(word);
}

export interface ReferenceState {
  readonly totalKib: number;
  readonly availableKib: number;
  readonly basisKib: number;
  readonly swapTotalKib: number;
  readonly swapFreeKib: number;
}

/** Every wanted value, or null when one makes no sense. */
function values(text: string, keys: readonly string[], form: 'meminfo' | 'pairs'): (number | undefined)[] | null {
  const found = keys.map((key) => keyed(text, key, form));
  return found.includes(null) ? null : (found as (number | undefined)[]);
}

/** The state of the machine without ZFS. */
export function referenceMeminfo(text: string): ReferenceState | null {
  const found = values(text, ['MemTotal', 'MemAvailable', 'AnonPages', 'SwapTotal', 'SwapFree'], 'meminfo');
  if (found === null) return null;
  const [total, available, anon, swapTotal, swapFree] = found;
  if (total === undefined || total === 0 || available === undefined || anon === undefined) return null;
  if ((swapTotal === undefined) !== (swapFree === undefined)) return null;
  const availableKib = Math.min(total, available);
  return {
    totalKib: total,
    availableKib,
    basisKib: Math.max(1, availableKib + anon),
    swapTotalKib: swapTotal ?? 0,
    swapFreeKib: Math.min(swapTotal ?? 0, swapFree ?? 0),
  };
}

/** The files of a group of v2, and what swap the machine has. */
export interface ReferenceGroup {
  readonly limit: string;
  readonly high: string;
  readonly usage: string;
  readonly stat: string;
  readonly swapLimit: string;
  readonly swapUsage: string;
  readonly swapTotalKib: number;
  readonly swapFreeKib: number;
}

const clamped = (value: number, most: number) => Math.max(0, Math.min(most, value));

/** The state of a group of v2. */
export function referenceGroup(group: ReferenceGroup): ReferenceState | null {
  const [most, high, usage] = [bytesIn(group.limit), bytesIn(group.high), bytesIn(group.usage)];
  if (most === null || high === null || usage === null) return null;
  const limit = Math.min(most, high);
  if (!Number.isFinite(limit) || !Number.isFinite(usage)) return null;
  const found = values(group.stat, ['inactive_file', 'active_file', 'anon', 'slab_reclaimable'], 'pairs');
  if (found === null) return null;
  const [inactive, active, anon, slab = 0] = found;
  if (inactive === undefined || active === undefined || anon === undefined) return null;
  const [swapLimit, swapUsage] = [bytesIn(group.swapLimit), bytesIn(group.swapUsage)];
  if (swapLimit === null || swapUsage === null || !Number.isFinite(swapUsage)) return null;
  const totalKib = Math.floor(limit / 1024);
  const availableKib = clamped(Math.floor((limit - usage + inactive + active + slab) / 1024), totalKib);
  return {
    totalKib,
    availableKib,
    basisKib: Math.max(1, availableKib + Math.floor(anon / 1024)),
    swapTotalKib: clamped(Math.floor(swapLimit / 1024), group.swapTotalKib),
    swapFreeKib: clamped(Math.floor((swapLimit - swapUsage) / 1024), group.swapFreeKib),
  };
}

/** The numbers of /proc/pressure/memory by the name they have there, `some.avg10` …; null for any other text. */
export function referencePsi(text: string): Map<string, number> | null {
  const lines = text.split('\n');
  if (lines.pop() !== '') return null;
  const numbers = new Map<string, number>();
  for (const line of lines) {
    if (line === '') continue;
    const [kind, ...pairs] = line.split(' ');
    if ((kind !== 'some' && kind !== 'full') || pairs.length !== 4) return null;
    for (const [index, key] of ['avg10', 'avg60', 'avg300', 'total'].entries()) {
      const [name, value = '', ...more] = pairs[index]!.split('=');
      const shape = key === 'total' ? /^[0-9]+$/ : /^[0-9]+\.[0-9][0-9]$/;
      if (name !== key || more.length > 0 || !shape.test(value)) return null;
      numbers.set(`${kind}.${key}`, Number(value));
    }
  }
  return numbers.size === 8 ? numbers : null;
}
