/** Stage: bytes → table. The events that lines to come can still belong to, and finding the one that a line belongs to. */
import { emptyEvent, isDecided, type OomEvent, rowOf } from './event.js';
import { CgroupReader } from './memory.js';
import type { LogLine } from './prefix.js';

/** Events that later lines are still matched with. */
const RECENT_MAX = 16;
/** Lines without a word of an event after which its report is taken for over. */
const SILENCE_MAX = 2000;

/** An event, and what is needed only while it grows. */
export interface Track {
  event: OomEvent;
  cgroup: CgroupReader;
  /** Records lost before it began. */
  lostBefore: number;
  /** The kernel has chosen: what is lost from now on is not of the report. */
  closed: boolean;
  /** Those who were killed and of whom the reaper has not spoken. */
  unreaped: Set<number>;
}

export class Tracks {
  /** Records of /dev/kmsg that are missing so far. */
  lost = 0;
  /** Number of the current line. */
  number = 0;
  private recent: Track[] = [];
  private done: OomEvent[] = [];

  get newest(): Track | null {
    return this.recent.at(-1) ?? null;
  }

  /** Begins an event with `line`. */
  begin(line: LogLine): Track {
    const event = emptyEvent(line, this.number);
    const track: Track = {
      event,
      cgroup: new CgroupReader(),
      lostBefore: this.lost,
      closed: false,
      unreaped: new Set(),
    };
    this.recent.push(track);
    if (this.recent.length > RECENT_MAX) this.done.push(this.recent.shift()!.event);
    return track;
  }

  /** Notes that the current line says something of an event; `lines` of the log went into it. */
  touch(track: Track, lines: number): void {
    const { event } = track;
    // A line can hold a message of many lines.
    if (event.lastLine < this.number || event.linesRead === 0) event.linesRead += lines;
    event.lastLine = this.number;
    if (!track.closed) event.linesLost = this.lost - track.lostBefore;
    track.closed ||= isDecided(event);
  }

  /** The newest of which this holds. */
  find(holds: (track: Track) => boolean): Track | null {
    return this.recent.findLast(holds) ?? null;
  }

  /** The newest report that is not at its end. Where the kernel says who prints, each printer has its own. */
  open(line: LogLine, holds: (event: OomEvent) => boolean = () => true): Track | null {
    return this.find(({ event }) => {
      if (isDecided(event) || this.number - event.lastLine > SILENCE_MAX || !holds(event)) return false;
      return line.caller === null || event.caller === null || line.caller === event.caller;
    });
  }

  /** The report that chose `pid`. One whose table does not know it is another's. */
  chooser(line: LogLine, pid: number): Track | null {
    return this.open(line, (event) => {
      if (event.selected) return true;
      if (event.context?.task) return event.context.task.pid === pid;
      const whole = event.rows.length > 0 && event.rowsRefused === 0;
      return !whole || rowOf(event, pid) !== null;
    });
  }

  /** Ends all events. */
  close(): void {
    this.done.push(...this.recent.map(({ event }) => event));
    this.recent = [];
  }

  /** Events that no later line can belong to. */
  drain(): OomEvent[] {
    const { done } = this;
    this.done = [];
    return done;
  }
}
