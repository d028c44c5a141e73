/**
 * Stage: report. Reports that wait until a server has them: lines in segments, each line with a check sum, the oldest segment first. Full,
 * it drops the oldest one, and says how many reports that were, as a report of its own. A line that is cut off or damaged is passed over.
 */

/** Segments by number. All of it returns at once; what it throws is the world's. */
export interface SpoolStore {
  /** In order. */
  numbers(): readonly number[];
  /** All lines of it; nothing of one that is not there. */
  read(segment: number): string;
  /** Adds a line, whole or, where it throws, nothing; a process that is killed in the middle leaves a part. */
  append(segment: number, line: string): void;
  /** Also one that is not there. */
  remove(segment: number): void;
}

/** One report that waits. */
export interface SpoolRecord {
  readonly subject: string;
  /** Unique for ever. */
  readonly id: string;
  readonly text: string;
}

/** How much may wait. */
export interface SpoolOptions {
  /** Bytes that wait at most. */
  readonly bytesMost: number;
  /** The report of so many that were dropped. */
  readonly dropped: (count: number) => SpoolRecord;
  /** How many dropped ones a record stands for, when it is such a report; 0 of any other. A report that is dropped itself is not forgotten. */
  readonly droppedIn: (record: SpoolRecord) => number;
}

/** Some of the oldest records, to be sent. */
export interface SpoolBatch {
  readonly records: readonly SpoolRecord[];
  readonly segment: number;
  /** Where it ends in its segment. */
  readonly end: number;
}

interface Segment {
  readonly number: number;
  bytes: number;
  count: number;
}

const SEGMENT_BYTES_MOST = 256 * 1024;

/** CRC-32 of IEEE 802.3, bit by bit: lines are few. */
function checkSum(bytes: Uint8Array): string {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; ++bit) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (~sum >>> 0).toString(16).padStart(8, '0');
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** One line with its end. */
export function spoolLine(record: SpoolRecord): string {
  const text = JSON.stringify([record.subject, record.id, record.text]);
  return `${checkSum(new TextEncoder().encode(text))} ${text}\n`;
}

function parseLine(line: string): SpoolRecord | null {
  const text = line.slice(9);
  if (checkSum(new TextEncoder().encode(text)) !== line.slice(0, 8)) return null;
  const [subject, id, body] = JSON.parse(text) as [string, string, string];
  return { subject, id, text: body };
}

/** Whole records of a segment; how many lines were none. */
export function readSegment(text: string): { readonly records: SpoolRecord[]; readonly damaged: number } {
  const lines = text.split('\n').filter((line) => line !== '');
  const records = lines.map(parseLine).filter((record) => record !== null);
  return { records, damaged: lines.length - records.length };
}

/** Reports on their way, oldest first. What its store throws it throws. */
export class Spool {
  /** Lines that were damaged when it was opened, or went from under it since. */
  damaged = 0;
  /** Reports dropped since it was opened. */
  dropped = 0;
  readonly #store: SpoolStore;
  readonly #options: SpoolOptions;
  readonly #segmentBytes: number;
  readonly #segments: Segment[] = [];
  /** Records of the oldest segment, and how many of them are done. */
  #head: SpoolRecord[] | null = null;
  #done = 0;

  /** Takes up what an earlier process left. */
  constructor(store: SpoolStore, options: SpoolOptions) {
    this.#store = store;
    this.#options = options;
    this.#segmentBytes = Math.min(SEGMENT_BYTES_MOST, Math.floor(options.bytesMost / 4));
    for (const number of store.numbers()) {
      const text = store.read(number);
      const found = readSegment(text);
      this.damaged += found.damaged;
      this.#segments.push({ number, bytes: bytesOf(text), count: found.records.length });
    }
    // The last line of the newest may be cut off: what comes next begins a segment.
    this.#open((this.#segments.at(-1)?.number ?? 0) + 1);
  }

  /** Reports that wait. */
  get waiting(): number {
    return this.#segments.reduce((sum, { count }) => sum + count, 0) - this.#done;
  }

  /** Has it wait. Throws what the store throws; then it does not. */
  put(record: SpoolRecord): void {
    const line = spoolLine(record);
    const bytes = bytesOf(line);
    let last = this.#segments.at(-1)!;
    if (last.bytes > 0 && last.bytes + bytes > this.#segmentBytes) last = this.#open(last.number + 1);
    this.#store.append(last.number, line);
    last.bytes += bytes;
    last.count += 1;
    if (this.#segments.length === 1) this.#head?.push(record);
    const whole = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
    if (whole > this.#options.bytesMost && this.#segments.length > 1) this.#dropOldest();
  }

  /** The oldest that wait, at most so many. */
  next(most: number): SpoolBatch {
    while (this.#readHead().length === 0 && this.#segments.length > 1) this.#removeHead();
    const head = this.#segments[0]!;
    const records = this.#readHead().slice(this.#done, this.#done + most);
    return { records, segment: head.number, end: this.#done + records.length };
  }

  /** They are stored. Of a segment that was dropped meanwhile nothing is left to be said. */
  settle({ segment, end }: SpoolBatch): void {
    const head = this.#segments[0]!;
    if (head.number !== segment) return;
    this.#done = end;
    if (this.#done < head.count) return;
    this.#removeHead();
    if (this.#segments.length === 0) this.#open(head.number + 1);
  }

  #open(number: number): Segment {
    const segment = { number, bytes: 0, count: 0 };
    this.#segments.push(segment);
    return segment;
  }

  /** Records of the oldest segment: what cannot be read of it any more is not waited for. */
  #readHead(): SpoolRecord[] {
    if (this.#head) return this.#head;
    const head = this.#segments[0]!;
    this.#head = readSegment(this.#store.read(head.number)).records;
    this.damaged += head.count - this.#head.length;
    head.count = this.#head.length;
    return this.#head;
  }

  #removeHead(): void {
    const head = this.#segments.shift()!;
    if (head.bytes > 0) this.#store.remove(head.number);
    this.#head = null;
    this.#done = 0;
  }

  #dropOldest(): void {
    const earlier = this.#readHead()
      .slice(this.#done)
      .map((record) => this.#options.droppedIn(record));
    const lost = earlier.filter((count) => count === 0).length;
    const told = earlier.reduce((sum, count) => sum + count, lost);
    this.#removeHead();
    this.dropped += lost;
    if (told > 0) this.put(this.#options.dropped(told));
  }
}
