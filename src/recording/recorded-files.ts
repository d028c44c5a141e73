/** Stage: bytes of /proc. The files of a recording at one of its snapshots, for the readers of a live /proc. */
import type { Engine } from '../engine.js';
import { type KeptText, type ProcFiles, writeBytes } from '../proc/proc-files.js';
import { rawOf } from './file-bytes.js';
import { type Entry, type Moment, type Recording, SNAPSHOT_FACTS_DEFAULT, type SnapshotFacts } from './recording.js';
import { byteStringOf, textOf } from './spelling.js';

const NEWLINE = 0x0a;
const START_BYTES = 4096;
/** What does not stand until it is said again. */
const OF_ONE_MOMENT = { memory: null, tasks: null, decision: null };

function refuse(code: string, path: string, words: string): never {
  throw Object.assign(new Error(`${code}: ${path} ${words}`), { code });
}

/** Whether a path, or a folder above it, is one of those. */
function isWithin(path: string, folders: ReadonlySet<string>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (folders.has(path.slice(0, end))) return true;
  }
  return false;
}

/** Numbers in their order, then names in theirs. */
function byNumber(a: string, b: string): number {
  const [first, second] = [Number(a), Number(b)];
  if (!Number.isNaN(first) && !Number.isNaN(second)) return first - second;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Names in a folder, as they came; the folder is put in its place in those above it. */
function namesIn(folder: string, folders: Map<string, string[]>): string[] {
  const known = folders.get(folder);
  if (known) return known;
  const names: string[] = [];
  folders.set(folder, names);
  const at = folder.lastIndexOf('/');
  if (at > 0) namesIn(folder.slice(0, at), folders).push(folder.slice(at + 1));
  return names;
}

/** One moment of a recording; `moveTo` another one. What is missing is ENOENT, as it would be on a machine. */
export class RecordedFiles implements ProcFiles {
  readonly recording: Recording;
  #index = -1;
  #facts: SnapshotFacts = SNAPSHOT_FACTS_DEFAULT;
  #entries = new Map<string, Entry>();
  #owners = new Map<string, number>();
  /** By folder; null where paths came or went since somebody asked. */
  #names: ReadonlyMap<string, string[]> | null = null;
  /** What was asked for of them, in order. */
  readonly #lists = new Map<string, readonly string[]>();

  /** Throws RangeError for a snapshot that is not there. */
  constructor(recording: Recording, index = 0) {
    this.recording = recording;
    this.moveTo(index);
  }

  /** Number of the snapshot, from 0. */
  get index(): number {
    return this.#index;
  }

  get moment(): Moment {
    return this.recording.snapshots[this.#index]!;
  }

  /** What is known here beside files. */
  get facts(): SnapshotFacts {
    return this.#facts;
  }

  /** Every path that is known here, with what it holds. */
  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  get owners(): ReadonlyMap<string, number> {
    return this.#owners;
  }

  /** Goes to another snapshot; the next one costs only what has changed. Throws RangeError. */
  moveTo(index: number): void {
    const { snapshots } = this.recording;
    if (!Number.isInteger(index) || index < 0 || index >= snapshots.length) {
      throw new RangeError(`snapshot must be 0..${snapshots.length - 1}, got ${index}`);
    }
    if (index < this.#index) this.#reset();
    for (let next = this.#index + 1; next <= index; ++next) this.#apply(next);
    this.#index = index;
  }

  #reset(): void {
    this.#index = -1;
    this.#names = null;
    this.#facts = SNAPSHOT_FACTS_DEFAULT;
    this.#entries.clear();
    this.#owners.clear();
  }

  #apply(index: number): void {
    const { entries, owners, gone, facts } = this.recording.snapshots[index]!;
    if (gone.length > 0) this.#remove(new Set(gone));
    const known = this.#entries.size;
    if (known === 0) this.#entries = new Map(entries);
    else for (const [path, entry] of entries) this.#entries.set(path, entry);
    if (this.#entries.size > known) this.#names = null;
    for (const [path, uid] of owners) this.#owners.set(path, uid);
    const marks = facts.marks ? new Map([...this.#facts.marks, ...facts.marks]) : this.#facts.marks;
    this.#facts = { ...this.#facts, ...OF_ONE_MOMENT, ...facts, marks };
  }

  /** One pass, however many are gone: a recording from a stranger must not take time by their number times that of files. */
  #remove(gone: ReadonlySet<string>): void {
    this.#names = null;
    for (const known of [this.#entries, this.#owners]) {
      for (const path of known.keys()) if (isWithin(path, gone)) known.delete(path);
    }
  }

  /** The file at a path, as the recording has it. */
  file(path: string): Entry & { kind: 'file' } {
    const entry = this.#entries.get(path);
    if (entry === undefined) return refuse('ENOENT', path, 'is no file of this snapshot');
    if (entry.kind === 'file') return entry;
    if (entry.kind === 'error') return refuse(entry.code, path, 'could not be read');
    return refuse('EINVAL', path, 'is a link');
  }

  text(path: string): string {
    return this.file(path).bytes;
  }

  readInto(engine: Engine, path: string): number {
    return writeBytes(engine, rawOf(this.file(path)));
  }

  start(path: string): string {
    return textOf(this.text(path).slice(0, START_BYTES));
  }

  link(path: string): string {
    const entry = this.#entries.get(path);
    if (entry?.kind === 'link') return textOf(entry.target);
    return refuse(entry?.kind === 'error' ? entry.code : 'ENOENT', path, 'is no link of this snapshot');
  }

  list(path: string): readonly string[] {
    const folders = this.#folders();
    const known = this.#lists.get(path);
    if (known) return known;
    const names = folders.get(path) ?? refuse('ENOENT', path, 'is no folder of this snapshot');
    // A file and a folder may have one name.
    const list = [...new Set(names)].sort(byNumber);
    this.#lists.set(path, list);
    return list;
  }

  /** What each folder holds: found out once for as long as no path comes or goes, so that asking for many of them, or for some that are not there, stays cheap. */
  #folders(): ReadonlyMap<string, string[]> {
    if (this.#names) return this.#names;
    const folders = new Map<string, string[]>();
    let last = { folder: '', names: [] as string[] };
    for (const path of this.#entries.keys()) {
      const at = path.lastIndexOf('/');
      // Files of one task mostly stand together.
      if (at !== last.folder.length || !path.startsWith(last.folder)) {
        const folder = path.slice(0, at);
        last = { folder, names: namesIn(folder, folders) };
      }
      last.names.push(path.slice(at + 1));
    }
    this.#lists.clear();
    this.#names = folders;
    return folders;
  }

  owner(path: string): number {
    return this.#owners.get(path) ?? refuse('ENOENT', path, 'has no owner in this snapshot');
  }

  /** Whether there is such a file or folder at this moment. */
  exists(path: string): boolean {
    return this.#entries.has(path) || this.#folders().has(path);
  }

  /** It goes on with the recording: what it reads is of the snapshot that is the current one then. */
  keep(path: string): KeptText {
    this.text(path);
    return new RecordedText(this, path);
  }

  pageSize(): number {
    return this.recording.facts.pageSize;
  }
}

/** As a KeptText has it. */
function afterNewline(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + text.length);
  bytes[0] = NEWLINE;
  bytes.set(text, 1);
  return bytes;
}

class RecordedText implements KeptText {
  readonly path: string;
  readonly #files: RecordedFiles;
  #bytes: Uint8Array = new Uint8Array(1);
  #from: Entry | null = null;

  constructor(files: RecordedFiles, path: string) {
    this.path = path;
    this.#files = files;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  read(): number {
    const file = this.#files.file(this.path);
    if (file !== this.#from) this.#bytes = afterNewline(rawOf(file));
    this.#from = file;
    return this.#bytes.length;
  }

  find(needle: Uint8Array): number {
    return byteStringOf(this.#bytes).indexOf(byteStringOf(needle));
  }

  text(): string {
    return this.#files.text(this.path);
  }

  close(): void {}
}
