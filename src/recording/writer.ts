/**
 * Stage: report. A machine over time as the lines of a recording: facts, then snapshots, of each only what has changed since the one
 * before. Whatever was not told again is gone.
 */
import type { MemoryState } from '../pressure/memory-state.js';
import {
  type Entry,
  FACTS_DEFAULT,
  FIRST_WORD,
  type Mark,
  type Moment,
  RECORDING_VERSION,
  type RecordingFacts,
  SNAPSHOT_FACTS_DEFAULT,
  type SnapshotFacts,
} from './recording.js';
import { MEMORY_KEYS } from './snapshot-builder.js';
import { byteString, spelledFile, spelledLine, spelledWord } from './spelling.js';

/** A machine at one moment, whole. */
export interface MachineState extends Moment {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly owners: ReadonlyMap<string, number>;
  readonly facts: SnapshotFacts;
}

function isEqual(a: Entry | undefined, b: Entry): boolean {
  if (a?.kind !== b.kind) return false;
  if (b.kind === 'file') return (a as typeof b).bytes === b.bytes;
  return b.kind === 'link' ? (a as typeof b).target === b.target : (a as typeof b).code === b.code;
}

function entryLines(path: string, entry: Entry): string[] {
  const word = spelledWord(path);
  if (entry.kind === 'link') return [`${word} -> ${spelledWord(entry.target)}`];
  return entry.kind === 'error' ? [`${word} error ${entry.code}`] : [word, ...spelledFile(entry.bytes)];
}

/** `/proc/12` of `/proc/12/task/13/stat`, and of any other path itself. */
function taskFolder(path: string): string {
  return /^\/proc\/\d+(?=\/)/.exec(path)?.[0] ?? path;
}

function memoryLine(memory: MemoryState): string {
  return `memory ${MEMORY_KEYS.map(([word, key]) => `${word} ${memory[key]}`).join(' ')}`;
}

function domainWords({ domain }: RecordingFacts): string {
  if (domain.kind === 'system') return 'system';
  if (domain.kind === 'memcg') return `memcg ${domain.version} ${spelledWord(domain.dir)}`;
  const root = domain.rootTgid > 0 ? ` ${domain.rootTgid}` : '';
  return `measured ${spelledWord(byteString(domain.name))}${root}`;
}

/** One value of a fact in the words of a text. */
function textLines(word: string, text: string | null): string[] {
  return text === null ? [] : [`${word} ${spelledLine(byteString(text))}`];
}

/** Writes one recording, snapshot after snapshot. Each call answers the text to be appended. */
export class RecordingWriter {
  #entries: ReadonlyMap<string, Entry> = new Map();
  #owners: ReadonlyMap<string, number> = new Map();
  #facts: SnapshotFacts = SNAPSHOT_FACTS_DEFAULT;

  /** What comes first. `comments` stand as they are, one a line. */
  head(facts: Partial<RecordingFacts> = {}, comments: readonly string[] = []): string {
    const all = { ...FACTS_DEFAULT, ...facts };
    const { redacted, users, policy } = all;
    return linesToText([
      `${FIRST_WORD} ${RECORDING_VERSION}`,
      ...comments.flatMap((comment) => comment.split('\n')).map((comment) => `# ${comment}`),
      ...textLines('made_by', all.madeBy),
      ...textLines('kernel', all.kernel),
      `page_size ${all.pageSize}`,
      `domain ${domainWords(all)}`,
      ...(redacted.length > 0 ? [`redacted ${redacted.join(' ')}`] : []),
      ...Array.from(users, ([name, uid]) => `user ${spelledWord(byteString(name))} ${uid}`),
      ...(policy === null ? [] : ['policy', ...spelledFile(byteString(policy))]),
    ]);
  }

  /** The next snapshot. `comments` stand at its head. */
  snapshot(state: MachineState, comments: readonly string[] = []): string {
    const { monotonicMs, bootMs, wallMs, entries, owners, facts } = state;
    const wall = Number.isNaN(wallMs) ? '' : ` wall ${new Date(wallMs).toISOString()}`;
    const lines = [`snapshot monotonic_ms ${monotonicMs} boot_ms ${bootMs}${wall}`];
    lines.push(...comments.map((comment) => `# ${comment}`), ...this.#goneLines(entries), ...this.#factLines(facts));
    const before = this.#entries;
    for (const [path, entry] of entries) if (!isEqual(before.get(path), entry)) lines.push(...entryLines(path, entry));
    for (const [path, uid] of owners) {
      if (this.#owners.get(path) !== uid) lines.push(`${spelledWord(path)} owner ${uid}`);
    }
    this.#entries = new Map(entries);
    this.#owners = new Map(owners);
    this.#facts = facts;
    return linesToText(lines);
  }

  /** What comes last; a recording without it was cut off. */
  tail(): string {
    return 'end\n';
  }

  /** Paths that are no more: of a task that is gone with all its files, one line. */
  #goneLines(entries: ReadonlyMap<string, Entry>): string[] {
    const folders = new Set(Array.from(entries.keys(), taskFolder));
    const gone = new Set<string>();
    for (const path of this.#entries.keys()) {
      if (entries.has(path)) continue;
      const folder = taskFolder(path);
      gone.add(folders.has(folder) ? path : folder);
    }
    // A path that is there anew as a folder takes nothing with it.
    return Array.from(gone, (path) => `${spelledWord(path)} gone`);
  }

  #factLines(facts: SnapshotFacts): string[] {
    const before = this.#facts;
    const lines: string[] = [];
    for (const [mark, pids] of facts.marks) lines.push(...this.#markLines(mark, pids));
    for (const mark of before.marks.keys()) if (!facts.marks.has(mark)) lines.push(...this.#markLines(mark, []));
    const { members, memory, shares, tasks, decision } = facts;
    if (members && members.join() !== before.members?.join()) lines.push(['members', ...members].join(' '));
    if (memory) lines.push(memoryLine(memory));
    if (shares && JSON.stringify(shares) !== JSON.stringify(before.shares)) {
      lines.push(...(shares.length === 0 ? ['shares'] : shares.map((group) => ['shares', ...group].join(' '))));
    }
    if (tasks !== null) lines.push('tasks', ...spelledFile(byteString(tasks)));
    if (decision !== null) lines.push('decision', ...spelledFile(byteString(decision)));
    return lines;
  }

  #markLines(mark: Mark, pids: readonly number[]): string[] {
    const known = this.#facts.marks.get(mark) ?? [];
    return known.join() === pids.join() ? [] : [['mark', mark, ...pids].join(' ')];
  }
}

function linesToText(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
