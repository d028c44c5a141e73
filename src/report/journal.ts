/** Stage: bytes → lines. A line of `journalctl -o json`: one object, of which the message is what the kernel said. */
import type { LogLine } from './prefix.js';
import { decodeBytes } from './utf8.js';

/** A kernel message is at most a few kilobytes, also as an array of numbers. */
const BYTES_MAX = 16_384;
const MICROSECONDS = 1_000_000;
const USEC_MAX = 2 ** 53;

/** The message, a string or (where it is not UTF-8) an array of bytes. Null for any other value. */
function messageOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length > BYTES_MAX) return null;
  const bytes = value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
  return bytes ? decodeBytes(Uint8Array.from(value as number[])) : null;
}

function microseconds(value: unknown): number | null {
  if (typeof value !== 'string' || !/^\d{1,16}$/.test(value)) return null;
  return Number(value) <= USEC_MAX ? Number(value) : null;
}

/** Whether the entry came from the kernel. Anybody can write to the journal; only the kernel has facility 0 there. */
function isKernels(entry: Record<string, unknown>): boolean {
  if (entry._TRANSPORT !== undefined) {
    return entry._TRANSPORT === 'kernel' && (entry.SYSLOG_FACILITY ?? '0') === '0';
  }
  return entry.SYSLOG_IDENTIFIER === undefined || entry.SYSLOG_IDENTIFIER === 'kernel';
}

/** The line of a journal entry, or null when the line is none. */
export function journalLine(line: string): LogLine | null {
  // Every entry of journalctl has a time. What has none is not tried: an exception costs more than a line is worth.
  if (!line.startsWith('{"') || !line.endsWith('}')) return null;
  if (!line.includes('"MESSAGE"') || !line.includes('"__REALTIME_TIMESTAMP"')) return null;
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  const text = messageOf(entry.MESSAGE);
  if (text === null) return null;
  const wall = microseconds(entry.__REALTIME_TIMESTAMP);
  const sinceBoot = microseconds(entry._SOURCE_MONOTONIC_TIMESTAMP ?? entry.__MONOTONIC_TIMESTAMP);
  const date = wall === null ? null : new Date(wall / 1000);
  return {
    text,
    stamp: date && !Number.isNaN(date.getTime()) ? date.toISOString() : null,
    uptimeS: sinceBoot === null ? null : sinceBoot / MICROSECONDS,
    caller: null,
    sequence: null,
    origin: isKernels(entry) ? 'kernel' : 'other',
  };
}
