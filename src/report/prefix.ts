/**
 * Stage: bytes → lines. What the log put before a kernel's message is taken off: dmesg in all its dresses, `<p>`,
 * /dev/kmsg, syslog, journalctl as text and as JSON. Programs write to these logs too, and may write what looks like a
 * kernel's message: where the log says who wrote a line, only the kernel's are believed.
 *
 * Every pattern is anchored where it is tried and bounded, so a line costs no more than its length.
 */
import { DmesgJsonReader } from './dmesg-json.js';
import { journalLine } from './journal.js';
import { unescapeBytes } from './utf8.js';

export interface LogLine {
  /** What was said, without what the log put before it. May hold line ends. */
  text: string;
  /** Date and time as the log has them; null where it has none. */
  stamp: string | null;
  /** Seconds since boot; null where the log does not say. */
  uptimeS: number | null;
  /** The thread (`T123`) or CPU (`C0`) that printed it; null unless the kernel was built to say so. */
  caller: string | null;
  /** Number of the record in /dev/kmsg; null elsewhere. */
  sequence: number | null;
  /** `other` when the log says that a program wrote the line. */
  origin: 'kernel' | 'other';
}

/** A place in a line that patterns are tried at. */
class Cursor {
  at = 0;

  constructor(readonly line: string) {}

  /** Moves past `pattern` (sticky) when it is right here. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.line);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  get rest(): string {
    return this.line.slice(this.at);
  }
}

const KMSG = /(\d{1,5}),(\d{1,16}),(\d{1,16}),([^;]{0,200});/y;
const KMSG_CALLER = /caller=([TC]\d{1,10})/;
/** Indented, or quoted in a mail. */
const INDENT = /[ \t>]{1,16}(?=[[<\dA-Z])/y;
const LEVEL = /<(\d{1,4})>/y;
/** dmesg -x: facility and level in words. */
const DECODED =
  /(kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7]) {0,6}:(?:emerg|alert|crit|err|warn|notice|info|debug) {0,6}: ?/y;
const SINCE_BOOT = /\[ {0,12}(\d{1,10}\.\d{1,9})(?: {1,3}< {0,12}\d{1,10}\.\d{1,9}>)?\] ?/y;
const CALLER = /\[ {0,12}([TC]\d{1,10})\] ?/y;
/** dmesg -T and dmesg -e. The names of days and months are in the language of whoever asked. */
const IN_BRACKETS =
  /\[([^[\]]{2,40} \d\d:\d\d:\d\d \d{4}|[^\s[\]]{1,12} ?\d{1,2} \d\d:\d\d| {0,12}\+\d{1,10}\.\d{1,9})\] ?/y;
const ISO = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:([.,])\d{1,9})?(?:Z|[+-]\d\d:?\d\d)) /y;
/** syslog and journalctl: short, short-precise, short-full, short-unix, and the one of ctime(3). */
const DATED =
  /([^\s[\]:]{1,12} {1,2}\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,9})?|[^\s[\]:]{1,12} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? [A-Z0-9+:-]{1,8}|\d{9,11}\.\d{1,6}|[^\s[\]:]{1,12} [^\s[\]:]{1,12} {1,2}\d{1,2} \d\d:\d\d:\d\d \d{4}) /y;
/** With a pid (`kernel[7]:`) it is a program that calls itself so. */
const KERNEL_TAG = /(?:[\w.-]{1,255} )?kernel: ?/y;
const HOST_AND_KERNEL = /[\w.-]{1,255} kernel: ?/y;
/** RFC 5424: a version after the priority, and fields instead of a tag. What has a PROCID is a program. */
const VERSION = /1 (?=\d{4}-)/y;
const KERNEL_FIELDS = /[\x21-\x7e]{1,255} kernel - [\x21-\x7e]{1,32} (?:-|(?:\[[^\]]{0,1000}\]){1,4})(?: |$)/y;
/** Priorities are facility · 8 + level; facility 0 is the kernel's own. */
const LEVELS = 8;

function isKernels(priority: string): boolean {
  return Number(priority) < LEVELS;
}

/** `[ 1445.780654] `, and who printed it. Journalctl's short-monotonic goes on with the host. */
function sinceBoot(cursor: Cursor, line: LogLine): boolean {
  const found = cursor.take(SINCE_BOOT);
  if (!found) return false;
  line.uptimeS = Number(found[1]);
  line.caller = cursor.take(CALLER)?.[1] ?? null;
  return true;
}

/** `[Mon Nov 20 10:40:01 2023] ` and its like. */
function bracketed(cursor: Cursor, line: LogLine): boolean {
  const found = cursor.take(IN_BRACKETS);
  if (!found) return false;
  line.stamp = found[1]!.trim();
  line.caller = cursor.take(CALLER)?.[1] ?? null;
  return true;
}

/** A date, and where a host and a program follow it, these too: `tag` is what the kernel's look like. */
function dated(cursor: Cursor, line: LogLine, tag: RegExp): boolean {
  const iso = cursor.take(ISO);
  const found = iso ?? cursor.take(DATED);
  if (!found) return false;
  line.stamp = found[1]!;
  // dmesg --time-format=iso writes a comma, and no host after it.
  if (iso?.[2] === ',') return true;
  if (!cursor.take(tag)) line.origin = 'other';
  else {
    const level = cursor.take(LEVEL);
    if (level && !isKernels(level[1]!)) line.origin = 'other';
    sinceBoot(cursor, line);
  }
  return true;
}

/** Whether a line can have a prefix: all of them have a bracket or a colon. */
function mayHavePrefix(text: string): boolean {
  return text.startsWith('<') || text.includes(':') || text.includes('[');
}

function textLine(text: string): LogLine {
  const line: LogLine = { text, stamp: null, uptimeS: null, caller: null, sequence: null, origin: 'kernel' };
  if (!mayHavePrefix(text)) return line;
  const cursor = new Cursor(text);
  cursor.take(INDENT);
  const level = cursor.take(LEVEL);
  const tag = level && cursor.take(VERSION) ? KERNEL_FIELDS : KERNEL_TAG;
  const decoded = cursor.take(DECODED);
  if (level && !isKernels(level[1]!)) line.origin = 'other';
  if (decoded && decoded[1] !== 'kern') line.origin = 'other';
  if (sinceBoot(cursor, line)) cursor.take(HOST_AND_KERNEL);
  else if (!bracketed(cursor, line) && !dated(cursor, line, tag) && !level && !decoded) {
    // Blanks before a message that has nothing before it are the kernel's own.
    return line;
  }
  line.text = cursor.rest;
  return line;
}

function kmsgLine(text: string): LogLine | null {
  const cursor = new Cursor(text);
  const found = cursor.take(KMSG);
  if (!found) return null;
  const [, priority, sequence, usec, flags] = found;
  return {
    text: unescapeBytes(cursor.rest),
    stamp: null,
    uptimeS: Number(usec) / 1_000_000,
    caller: KMSG_CALLER.exec(flags!)?.[1] ?? null,
    sequence: Number(sequence),
    origin: isKernels(priority!) ? 'kernel' : 'other',
  };
}

/** Reads lines one after the other: in /dev/kmsg and in the JSON of dmesg the meaning of a line depends on those before. */
export class PrefixReader {
  private inKmsg = false;
  private readonly dmesgJson = new DmesgJsonReader();

  /** The line without its prefix. Null for what only continues a record of /dev/kmsg (` KEY=value`), or begins one in JSON. */
  read(raw: string): LogLine | null {
    const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (this.inKmsg && text.startsWith(' ')) return null;
    const record = this.dmesgJson.read(text);
    if (record !== undefined) return record;
    const kmsg = kmsgLine(text);
    this.inKmsg = kmsg !== null;
    return kmsg ?? journalLine(text) ?? textLine(text);
  }
}
