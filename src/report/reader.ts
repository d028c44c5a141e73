/**
 * Stage: bytes → lines → events. Reads a kernel log as it comes and gives back every OOM event in it, each as soon as
 * no later line can belong to it. Time is linear in the bytes, memory bounded by the largest table.
 */
import type { OomEvent } from './event.js';
import { findingOf, looksLikeReport, MESSAGE_MAX } from './finding.js';
import { EventGrouper } from './grouper.js';
import { type Joined, LineJoiner } from './joiner.js';
import { LINE_BYTES_MAX, LineCutter } from './line-cutter.js';
import { type LogLine, PrefixReader } from './prefix.js';
import { looksLikeRow } from './table.js';

/** What became of the lines of a log. Every line is counted in exactly one of the first six after `lines`. */
export interface LogCounts {
  lines: number;
  /** Lines that say something of an event. */
  read: number;
  /** Lines of the kernel about something else. */
  other: number;
  /** Lines that programs wrote, by what the log says; never believed. */
  foreign: number;
  /** Lines with words of an OOM report that make no sense: damaged, or of a kernel that is not known. */
  unknown: number;
  /** Rows of a table whose header is not in the log. */
  orphans: number;
  /** Lines longer than any that a kernel writes. */
  tooLong: number;
  /** Records missing, by the numbers that /dev/kmsg gives them. */
  lost: number;
  /** Kills and reports that the kernel says it held back. */
  suppressed: number;
}

/** A gap in the numbers of records that is larger starts a new log rather than loses so many lines. */
const GAP_MAX = 10_000_000;

/** Reads a kernel log piece by piece; bytes go in, events come out. */
export class KernelLogReader {
  private readonly cutter = new LineCutter();
  private readonly prefixes = new PrefixReader();
  private readonly joiner = new LineJoiner();
  private readonly grouper = new EventGrouper();
  private sequence: number | null = null;
  private readonly seen: LogCounts = {
    lines: 0,
    read: 0,
    other: 0,
    foreign: 0,
    unknown: 0,
    orphans: 0,
    tooLong: 0,
    lost: 0,
    suppressed: 0,
  };

  /** So far; what is lost and too long included. */
  get counts(): LogCounts {
    const { lines, tooLong, ...seen } = this.seen;
    const { dropped } = this.cutter;
    const { lost, suppressed } = this.grouper;
    return { ...seen, lines: lines + dropped, tooLong: tooLong + dropped, lost, suppressed };
  }

  /** Takes bytes of a log, cut anywhere. Returns the events that are complete. */
  addBytes(bytes: Uint8Array): OomEvent[] {
    for (const line of this.cutter.push(bytes)) this.addLine(line);
    return this.grouper.drain();
  }

  /** Takes whole lines of text. Returns the events that are complete. */
  addText(text: string): OomEvent[] {
    const end = text.endsWith('\n') ? text.length - 1 : text.length;
    for (let from = 0; from <= end && text !== ''; ) {
      const found = text.indexOf('\n', from);
      const to = found < 0 ? end : Math.min(found, end);
      this.addLine(text.slice(from, to));
      from = to + 1;
    }
    return this.grouper.drain();
  }

  /** Says that the log is at its end. Returns the events that are left, in the order in which they began. */
  end(): OomEvent[] {
    for (const line of this.cutter.end()) this.addLine(line);
    this.give(this.joiner.flush());
    return this.grouper.end();
  }

  private addLine(raw: string): void {
    this.seen.lines += 1;
    if (raw.length > LINE_BYTES_MAX) {
      this.seen.tooLong += 1;
      return;
    }
    const line = raw === '' ? null : this.prefixes.read(raw);
    if (line?.sequence != null) this.countLost(line.sequence);
    if (line === null) this.seen.other += 1;
    else if (line.origin === 'other') this.seen.foreign += 1;
    else if (line.text.length > MESSAGE_MAX) this.seen.tooLong += 1;
    else this.seen[this.message(line)] += 1;
  }

  private countLost(sequence: number): void {
    const gap = this.sequence === null ? 0 : sequence - this.sequence - 1;
    if (gap > 0 && gap < GAP_MAX) this.grouper.lose(gap);
    this.sequence = sequence;
  }

  /** Takes one message; says what to count its line as. */
  private message(line: LogLine): 'read' | 'other' | 'unknown' | 'orphans' {
    const finding = findingOf(line.text);
    // The kernel prints the state of memory as one message of many lines; a name with a line end is a message as well.
    if (finding === null && line.text.includes('\n')) return this.parts(line);
    return this.part(line, finding);
  }

  private parts(line: LogLine): 'read' | 'other' | 'unknown' | 'orphans' {
    if (this.grouper.detail(line, this.seen.lines)) return 'read';
    const found = line.text.split('\n').map((text) => this.part({ ...line, text }, findingOf(text)));
    return found.find((what) => what !== 'other') ?? 'other';
  }

  private part(line: LogLine, finding: ReturnType<typeof findingOf>): 'read' | 'other' | 'unknown' | 'orphans' {
    const { known, taken } = this.joiner.push(line, finding);
    this.give(known);
    if (taken) return 'read';
    if (this.grouper.detail(line, this.seen.lines)) return 'read';
    if (looksLikeRow(line.text)) return 'orphans';
    return looksLikeReport(line.text) ? 'unknown' : 'other';
  }

  private give(known: Joined[]): void {
    for (const { finding, line, lines } of known) this.grouper.take(finding, line, this.seen.lines, lines);
  }
}

/** Reads a whole log that is in memory already. Never throws, whatever it holds. */
export function readKernelLog(log: string | Uint8Array): { events: OomEvent[]; counts: LogCounts } {
  const reader = new KernelLogReader();
  const events = typeof log === 'string' ? reader.addText(log) : reader.addBytes(log);
  events.push(...reader.end());
  return { events, counts: reader.counts };
}
