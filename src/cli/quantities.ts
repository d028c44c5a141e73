/** Stage: report. Memory, ages and CPU times as people say them. Three digits that matter, unit last. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB'];

/** Bytes: `0 B`, `968 KiB`, `1.21 GiB`. */
export function memory(bytes: number): string {
  let unit = 0;
  let value = bytes;
  // What would be shown as 1000 is shown as a fraction of the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${value} B`;
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Seconds, in one or two units: `12 s`, `3 min`, `5 h 12 min`, `8 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)} h ${Math.floor((whole % HOUR) / MINUTE)} min`;
  return `${Math.floor(whole / DAY)} d ${Math.floor((whole % DAY) / HOUR)} h`;
}

/** Seconds in one unit, for a column: `12s`, `3m`, `5h`, `8d`. */
export function shortDuration(seconds: number): string {
  const whole = Math.floor(Math.max(seconds, 0));
  if (whole < MINUTE) return `${whole}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m`;
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)}h`;
  return `${Math.floor(whole / DAY)}d`;
}

/** CPU time as `top` writes it: `0:00.42`, `12:07`, `5h12m`. */
export function cpuTime(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  if (seconds < MINUTE) return `0:${seconds.toFixed(2).padStart(5, '0')}`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}:${two(seconds % MINUTE)}`;
  return `${Math.floor(seconds / HOUR)}h${two((seconds % HOUR) / MINUTE)}m`;
}

/** How long after the beginning of a recording, to the ms: `+4.012s`. */
export function sinceStart(ms: number): string {
  return `+${(ms / 1000).toFixed(3)}s`;
}

/** A whole number with its thousands apart, for sentences: `1,234,567`, `−12`. */
export function grouped(value: number): string {
  return String(value)
    .replace('-', '−')
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 task`, `2,000 tasks`. */
export function counted(count: number, word: string): string {
  return `${grouped(count)} ${word}${count === 1 ? '' : 's'}`;
}
