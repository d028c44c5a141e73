/**
 * Stage: bytes of /proc. Lines of a recording come in, one after the other; the recording goes out. One bad line and nothing is
 * read: an error says which, what was expected and what came. What a recording may hold is bounded, so that one from a stranger
 * takes no more memory than stated.
 */
import { BadnessError } from '../errors.js';
import { nearestWord } from '../task-keys.js';
import { FileBytes, type RecordedFile } from './file-bytes.js';
import {
  type Entry,
  FACTS_DEFAULT,
  FIRST_WORD,
  RECORDING_VERSION,
  type Recording,
  type RecordingFacts,
} from './recording.js';
import { SnapshotBuilder } from './snapshot-builder.js';
import { readSpelled, textOf } from './spelling.js';
import { number, pathOf, refuse, shown, wordOf } from './statement.js';

/** How much of a recording is read. What has more is refused by its line. */
export interface ReadLimits {
  /** Bytes of all files and statements together, 1 … 2^31. Default 256 MiB; the recording takes about as much memory, twice it at most. */
  readonly bytes?: number;
  /** Snapshots, default 86,400: a day at one a second. */
  readonly snapshots?: number;
  /** Statements (files, owners, marks) together. Default 4,194,304. */
  readonly statements?: number;
}

/** Characters of a line: 1 MiB. */
const LINE_MOST = 1_048_576;
const NEWLINE = 0x0a;
const LIMITS = { bytes: 2 ** 28, snapshots: 86_400, statements: 2 ** 22 };

const HEAD_WORDS = ['made_by', 'kernel', 'page_size', 'domain', 'redacted', 'user', 'policy', 'snapshot', 'end'];

function wordsOf(line: string): string[] {
  const words = line.trimEnd().split(' ');
  return words.includes('') ? words.filter((word) => word !== '') : words;
}

/** Reads a recording line by line, so that a stream needs no whole text. */
export class RecordingReader {
  readonly #limits: Required<ReadLimits>;
  readonly #users = new Map<string, number>();
  readonly #snapshots: SnapshotBuilder[] = [];
  #facts: RecordingFacts = FACTS_DEFAULT;
  #line = 0;
  #bytes = 0;
  #statements = 0;
  #isBegun = false;
  #isEnded = false;
  readonly #files = new FileBytes();
  /** Whatever is indented belongs to the statement above it; null where nothing may be. */
  #take: ((file: RecordedFile) => void) | null = null;
  /** The last line ended without a newline. */
  #isOpen = false;

  constructor(limits: ReadLimits = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** The next line, without its newline. Throws BadnessError `ERECORDING`, `ESCHEMA` for a newer version. */
  add(text: string): void {
    this.#line += 1;
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (line.length > LINE_MOST) refuse(this.#line, `expected at most ${LINE_MOST} characters, got ${line.length}`);
    this.#bytes += line.length;
    if (this.#bytes > this.#limits.bytes) refuse(this.#line, `expected at most ${this.#limits.bytes} bytes in all`);
    if (line.startsWith('#') || !/\S/.test(line)) return;
    if (!this.#isBegun) {
      this.#begin(line);
      return;
    }
    if (this.#isEnded) refuse(this.#line, `expected nothing after end, got ${shown(line)}`);
    if (line.startsWith(' ') || line.startsWith('\t')) this.#addContent(line);
    else this.#addStatement(line);
  }

  /** Throws BadnessError `ERECORDING` for one without a snapshot. */
  end(): Recording {
    this.#closeContent();
    if (!this.#isBegun) refuse(this.#line, `expected ${FIRST_WORD} ${RECORDING_VERSION} first, got nothing`);
    if (this.#snapshots.length === 0) refuse(this.#line, 'expected a snapshot, got none');
    const snapshots = this.#snapshots.map((one) => one.change);
    return { facts: { ...this.#facts, users: this.#users }, snapshots, isComplete: this.#isEnded };
  }

  #begin(line: string): void {
    const [word, version, ...more] = line
      .replace(/^\ufeff/, '')
      .trimEnd()
      .split(' ');
    if (word !== FIRST_WORD || !/^\d{1,9}$/.test(version ?? '') || more.length > 0) {
      refuse(this.#line, `expected ${FIRST_WORD} ${RECORDING_VERSION} first, got ${shown(line)}`);
    }
    if (Number(version) !== RECORDING_VERSION) {
      const words = `line ${this.#line}: expected ${FIRST_WORD} ${RECORDING_VERSION}, got ${version}`;
      throw new BadnessError('ESCHEMA', `${words}: it was written by a newer badness, and only one as new can read it`);
    }
    this.#isBegun = true;
  }

  #addContent(line: string): void {
    if (this.#take === null) refuse(this.#line, `expected a statement, got a line of a file: ${shown(line)}`);
    if (this.#isOpen) refuse(this.#line, 'expected no further line: the one before ends with \\, without a newline');
    const text = line.startsWith('  ') ? line.slice(2) : line.startsWith('\t') ? line.slice(1) : null;
    if (text === null) refuse(this.#line, 'expected two blanks before a line of a file, got one');
    const read = readSpelled(text);
    if (read === null) refuse(this.#line, `expected \\\\, \\t, \\- or \\xNN after a backslash, got ${shown(text)}`);
    this.#isOpen = read.open;
    this.#files.add(read.open ? read.bytes : `${read.bytes}\n`);
  }

  /**
   * Takes lines of a file that need no second look, as they stand in the bytes of a recording from there on. Answers where the first line
   * begins that `add` has to look at.
   */
  addPlain(bytes: Uint8Array, from: number): number {
    let at = from;
    if (this.#take === null || this.#isOpen) return at;
    this.#files.reserve(bytes.length - from);
    while (this.#bytes + LINE_MOST <= this.#limits.bytes) {
      const end = this.#files.addPlainLine(bytes, at);
      // One that is too long is refused by `add`, as ever.
      if (end < 0 || end - at - 1 > LINE_MOST) break;
      this.#line += 1;
      this.#bytes += end - at - 1;
      at = end;
    }
    return at;
  }

  #closeContent(): void {
    this.#take?.(this.#files.file());
    this.#take = null;
  }

  /** What is indented from here on goes to `take`, when it is whole. */
  #expectContent(take: (file: RecordedFile) => void): void {
    this.#files.begin();
    this.#isOpen = false;
    this.#take = take;
  }

  #addStatement(line: string): void {
    this.#closeContent();
    this.#statements += 1;
    if (this.#statements > this.#limits.statements) {
      refuse(this.#line, `expected at most ${this.#limits.statements} statements`);
    }
    // Most statements are a path and nothing else.
    const words = line.includes(' ') ? wordsOf(line) : [line.trimEnd()];
    const [word] = words as [string];
    if (word === 'end' && words.length === 1) {
      this.#isEnded = true;
    } else if (word === 'snapshot') {
      this.#addSnapshot(words);
    } else if (this.#snapshots.length === 0) {
      this.#addFact(line, words);
    } else {
      this.#addToSnapshot(words);
    }
  }

  #addSnapshot(words: readonly string[]): void {
    if (this.#snapshots.length >= this.#limits.snapshots) {
      refuse(this.#line, `expected at most ${this.#limits.snapshots} snapshots`);
    }
    this.#snapshots.push(new SnapshotBuilder(words, this.#line, this.#snapshots.at(-1)?.change ?? null));
  }

  #addToSnapshot(words: readonly string[]): void {
    const snapshot = this.#snapshots.at(-1)!;
    if (!words[0]!.startsWith('/')) {
      const take = snapshot.add(words, this.#line);
      if (take) this.#expectContent(({ bytes }) => take(bytes));
      return;
    }
    const path = pathOf(words[0]!, this.#line);
    const [, verb, argument, ...more] = words;
    if (more.length > 0)
      refuse(this.#line, `expected a path and what is to be said of it, got ${shown(words.join(' '))}`);
    if (verb === undefined) {
      snapshot.once(path, this.#line);
      this.#expectContent((file) => snapshot.file(path, file));
      return;
    }
    if (verb === 'gone' && argument === undefined) {
      snapshot.end(path);
      return;
    }
    if (argument === undefined || !['owner', 'error', '->'].includes(verb)) {
      refuse(this.#line, `expected nothing, gone, owner UID, error NAME or -> TARGET after a path, got ${shown(verb)}`);
    }
    if (verb === 'owner') snapshot.owner(path, number('owner', argument, this.#line, 2 ** 32 - 1));
    else {
      snapshot.once(path, this.#line);
      snapshot.file(path, this.#entry(verb, argument));
    }
  }

  #entry(verb: string, argument: string): Entry {
    if (verb === '->') return { kind: 'link', target: wordOf(argument, this.#line) };
    if (!/^E[A-Z0-9]{1,30}$/.test(argument)) refuse(this.#line, `expected an errno name, got ${shown(argument)}`);
    return { kind: 'error', code: argument };
  }

  #addFact(line: string, [word, ...words]: string[]): void {
    const rest = line.trimEnd().slice(word!.length + 1);
    if (word === 'made_by') this.#set({ madeBy: textOf(wordOf(rest, this.#line)) });
    else if (word === 'kernel') this.#set({ kernel: textOf(wordOf(rest, this.#line)) });
    else if (word === 'redacted') this.#set({ redacted: words });
    else if (word === 'page_size') this.#addPageSize(rest);
    else if (word === 'domain') this.#addDomain(words);
    else if (word === 'user' && words.length === 2) {
      this.#users.set(textOf(wordOf(words[0]!, this.#line)), number('user', words[1]!, this.#line, 2 ** 32 - 1));
    } else if (word === 'policy' && words.length === 0)
      this.#expectContent(({ bytes }) => this.#set({ policy: textOf(bytes) }));
    else {
      const hint = word!.startsWith('/')
        ? 'files stand below a snapshot'
        : `the nearest is ${nearestWord(word!, HEAD_WORDS)}`;
      refuse(this.#line, `expected a fact or a snapshot, got ${shown(line)}; ${hint}`);
    }
  }

  #addPageSize(text: string): void {
    const pageSize = number('page_size', text, this.#line, 2 ** 31);
    if (pageSize < 1024) refuse(this.#line, `page_size: expected at least 1024, got ${pageSize}`);
    this.#set({ pageSize });
  }

  #addDomain([kind, version, dir, ...more]: string[]): void {
    if (kind === 'system' && version === undefined) {
      this.#set({ domain: { kind } });
      return;
    }
    if (kind === 'measured' && version !== undefined && more.length === 0) {
      const rootTgid = number('domain', dir ?? '0', this.#line, 2 ** 32 - 1);
      this.#set({ domain: { kind, name: textOf(wordOf(version, this.#line)), rootTgid } });
      return;
    }
    if (kind !== 'memcg' || (version !== '1' && version !== '2') || dir === undefined || more.length > 0) {
      refuse(
        this.#line,
        `expected domain system, memcg 1|2 /FOLDER or measured NAME [ROOT], got ${shown([kind, version, dir].join(' '))}`,
      );
    }
    this.#set({ domain: { kind, version: Number(version) as 1 | 2, dir: pathOf(dir, this.#line) } });
  }

  #set(facts: Partial<RecordingFacts>): void {
    this.#facts = { ...this.#facts, ...facts };
  }
}

const encoder = new TextEncoder();

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError('expected UTF-8; write other bytes as \\xNN');
  }
}

/**
 * Reads a recording, as text or its bytes. Throws BadnessError `ERECORDING` with the line, what was expected and what came, and
 * `ESCHEMA`; RangeError for bytes that are no UTF-8.
 */
export function parseRecording(recording: string | Uint8Array, limits?: ReadLimits): Recording {
  const [text, bytes] =
    typeof recording === 'string' ? [recording, encoder.encode(recording)] : [decoded(recording), recording];
  const isAscii = text.length === bytes.length;
  const reader = new RecordingReader(limits);
  // Two places of one line: they part where a character takes more than a byte.
  let [at, byteAt] = [0, 0];
  while (at < text.length) {
    const next = reader.addPlain(bytes, byteAt);
    at += next - byteAt;
    if (at >= text.length) break;
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    reader.add(text.slice(at, end));
    at = end + 1;
    byteAt = isAscii ? at : bytes.indexOf(NEWLINE, next) + 1;
  }
  return reader.end();
}
