/**
 * Stage: bytes → table. Which lines belong to one event. A report is printed line by line while others print too, its
 * reaper speaks later from another thread, the kernel limits how many reports it prints but not how many it kills, and
 * a log can begin or end in the middle: a line is given to an event only where it says enough to.
 */
import { type AlsoKilled, ENTRIES_MAX, type OomEvent, ROWS_MAX } from './event.js';
import type { Finding } from './finding.js';
import type { Killed, Named } from './kill-lines.js';
import { readMachineLine } from './memory.js';
import type { LogLine } from './prefix.js';
import { looksLikeRow, parseTableRow } from './table.js';
import { type Track, Tracks } from './tracks.js';

/** Victims remembered, to be known again in later tables. */
const VICTIMS_MAX = 4096;
/** Forms of a kill line that was printed once for every task that shares the memory. */
const REPEATED = ['dot', 'plain', 'vsz'];

type Found<K extends Finding['kind']> = Extract<Finding, { kind: K }>;

export class EventGrouper {
  /** Kills and reports that the kernel says it did not print. */
  suppressed = 0;
  private suppressedBefore = 0;
  private release: string | null = null;
  private readonly tracks = new Tracks();
  private readonly victims = new Map<number, string>();
  /** The last kill taken for one of a group. The victim of a further group is only known by the line after it. */
  private member: { track: Track; killed: Killed; line: LogLine; number: number } | null = null;

  get lost(): number {
    return this.tracks.lost;
  }

  /** Says that so many records are missing before the next line. */
  lose(records: number): void {
    this.tracks.lost += records;
  }

  /** Events that no later line can belong to. */
  drain(): OomEvent[] {
    return this.tracks.drain();
  }

  /** Everything that is left. */
  end(): OomEvent[] {
    this.tracks.close();
    return this.drain();
  }

  /** Takes a line that says something by itself. `lines` of the log went into it, the last of them `number`. */
  take(finding: Finding, line: LogLine, number: number, lines: number): void {
    this.tracks.number = number;
    const track = this.place(finding, line);
    if (track) this.tracks.touch(track, lines);
  }

  /** Takes a line that only says something inside a report: a row of the table, the state of memory. */
  detail(line: LogLine, number: number): boolean {
    this.tracks.number = number;
    const track = this.tracks.open(line);
    if (!track || !this.readDetail(track, line.text)) return false;
    this.tracks.touch(track, 1);
    return true;
  }

  private readDetail({ event, cgroup }: Track, text: string): boolean {
    const { header, rows } = event;
    if (header === null) return cgroup.read(text, event.cgroup) || readMachineLine(text, event.memory);
    const row = rows.length < ROWS_MAX ? parseTableRow(text, header) : null;
    if (row) {
      row.killedBefore = this.victims.get(row.pid) === row.comm;
      rows.push(row);
    } else if (looksLikeRow(text)) event.rowsRefused += 1;
    else return false;
    return true;
  }

  private begin(line: LogLine): Track {
    const track = this.tracks.begin(line);
    track.event.release = this.release;
    track.event.suppressedBefore = this.suppressedBefore;
    this.suppressedBefore = 0;
    return track;
  }

  private place(finding: Finding, line: LogLine): Track | null {
    const { tracks } = this;
    switch (finding.kind) {
      case 'invocation':
        return this.set(this.begin(line), { invoker: finding.invoker });
      case 'cpu':
        return this.placeCpu(finding, line);
      case 'limit':
        return this.set(tracks.open(line), { limit: { taskMemcg: finding.taskMemcg, oomMemcg: finding.oomMemcg } });
      case 'header':
        return this.placeHeader(finding, line);
      case 'context':
        return this.placeContext(finding, line);
      case 'selected':
        return this.placeSelected(finding, line);
      case 'killed':
        return this.placeKill(finding.killed, line);
      case 'already-exiting':
        return this.placeExiting(finding, line);
      case 'no-victim':
        return this.set(tracks.open(line) ?? this.begin(line), { noVictim: finding.words });
      case 'panic':
        return this.placePanic(finding, line);
      default:
        return this.placeLater(finding, line);
    }
  }

  /** Lines that come after a kill, or that are about more than one event. */
  private placeLater(finding: Finding, line: LogLine): Track | null {
    switch (finding.kind) {
      case 'group':
        return this.placeGroup(finding, line);
      case 'sharer':
        return this.placeSharer(finding);
      case 'reaped':
        return this.placeReaper(finding.reaped, line, ({ reaped }) => reaped.push(finding.reaped));
      case 'unreaped':
        return this.placeReaper(finding.victim, line, ({ unreaped }) => unreaped.push(finding.victim));
      case 'remark':
        return this.placeRemark(finding, line);
      case 'suppressed':
        this.suppressed += finding.count;
        this.suppressedBefore += finding.count;
        return null;
      case 'boot':
        this.release = finding.release;
        this.victims.clear();
        this.tracks.close();
        return null;
      default:
        return this.tracks.open(line);
    }
  }

  private set(track: Track | null, what: Partial<OomEvent>): Track | null {
    if (track) Object.assign(track.event, what);
    return track;
  }

  private placeCpu({ cpu }: Found<'cpu'>, line: LogLine): Track | null {
    this.release = cpu.release;
    const track = this.tracks.open(line, ({ invoker, header }) => invoker?.pid === null && header === null);
    if (!track) return null;
    track.event.invoker!.pid = cpu.pid;
    return this.set(track, { release: cpu.release });
  }

  private placeHeader({ header }: Found<'header'>, line: LogLine): Track | null {
    const track = this.tracks.open(line, (event) => event.header === null) ?? this.begin(line);
    track.cgroup.leave();
    return this.set(track, { header });
  }

  private placeContext({ context }: Found<'context'>, line: LogLine): Track {
    const { task } = context;
    const track = task ? this.tracks.chooser(line, task.pid) : this.tracks.open(line);
    const free = track?.event.context === null ? track : this.begin(line);
    free.event.context = context;
    if (task) free.unreaped.add(task.pid);
    return free;
  }

  private placeSelected({ selected }: Found<'selected'>, line: LogLine): Track {
    const track = this.tracks.chooser(line, selected.pid);
    const free = track?.event.selected === null ? track : this.begin(line);
    free.event.selected = selected;
    return free;
  }

  private placeKill(killed: Killed, line: LogLine): Track | null {
    const track = this.tracks.chooser(line, killed.pid) ?? this.again(killed) ?? this.begin(line);
    this.remember(killed);
    track.unreaped.add(killed.pid);
    if (track.event.killed === null) return this.set(track, { killed });
    if (track.event.oomGroup === null) return this.also(track, killed, 'same line again');
    this.member = { track, killed, line, number: this.tracks.number };
    return this.also(track, killed, 'memory.oom.group');
  }

  /** The event that a kill line is one more of: of a cgroup that goes whole, or of everybody who shares the memory. */
  private again({ message, form }: Killed): Track | null {
    const { newest } = this.tracks;
    if (!newest?.event.killed) return null;
    const { killed, oomGroup, selected, invoker } = newest.event;
    if (oomGroup !== null) return message === killed.message ? newest : null;
    const announced = selected !== null || invoker !== null;
    return announced && REPEATED.includes(form) && form === killed.form ? newest : null;
  }

  private placeExiting({ victim }: Found<'already-exiting'>, line: LogLine): Track {
    const track = this.tracks.chooser(line, victim.pid) ?? this.begin(line);
    track.event.alreadyExiting = victim;
    track.unreaped.add(victim.pid);
    return track;
  }

  private placePanic({ words }: Found<'panic'>, line: LogLine): Track | null {
    const without = this.tracks.find(({ event }) => event.noVictim !== null);
    return this.set(this.tracks.open(line) ?? without ?? this.begin(line), { panic: words });
  }

  /** Printed right after the victim's own line, before those of the others. */
  private placeGroup({ path }: Found<'group'>, line: LogLine): Track {
    const track = this.tracks.find(({ event }) => event.killed !== null);
    const free = track?.event.oomGroup === null ? track : this.furtherGroup(line);
    free.event.oomGroup = path;
    return free;
  }

  /** A group that follows another without a report: its victim was the kill before, taken for one of the other. */
  private furtherGroup(line: LogLine): Track {
    const { member } = this;
    this.member = null;
    if (!member || member.track.event.alsoKilled.at(-1)?.pid !== member.killed.pid) return this.begin(line);
    member.track.event.alsoKilled.pop();
    member.track.unreaped.delete(member.killed.pid);
    const track = this.begin(member.line);
    track.event.firstLine = member.number;
    track.event.killed = member.killed;
    track.unreaped.add(member.killed.pid);
    return track;
  }

  private placeSharer({ sharer }: Found<'sharer'>): Track | null {
    const track = this.tracks.find(({ event }) => event.killed !== null || event.selected !== null);
    return track && this.also(track, sharer, 'shares memory');
  }

  private also(track: Track, { pid, comm }: Named, because: AlsoKilled['because']): Track {
    const { alsoKilled } = track.event;
    if (alsoKilled.length >= ENTRIES_MAX) return track;
    alsoKilled.push({ pid, comm, because });
    track.unreaped.add(pid);
    return track;
  }

  /** The reaper speaks of the newest victim of that pid of whom it has not spoken. */
  private placeReaper({ pid }: Named, line: LogLine, write: (event: OomEvent) => void): Track {
    const track = this.tracks.find(({ unreaped }) => unreaped.has(pid)) ?? this.begin(line);
    track.unreaped.delete(pid);
    write(track.event);
    return track;
  }

  private placeRemark({ words }: Found<'remark'>, line: LogLine): Track | null {
    const track = this.tracks.open(line) ?? this.tracks.newest;
    if (track && track.event.remarks.length < ENTRIES_MAX) track.event.remarks.push(words);
    return track;
  }

  private remember({ pid, comm }: Named): void {
    this.victims.delete(pid);
    this.victims.set(pid, comm);
    if (this.victims.size > VICTIMS_MAX) this.victims.delete(this.victims.keys().next().value!);
  }
}
