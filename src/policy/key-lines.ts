/**
 * Stage: none (files). On which line each key of a TOML text stands. The text was read by a parser before, which says
 * where the syntax is wrong but not where a key is; so here nothing is checked, and a text that is no TOML gives no answer
 * that means anything. Paths are as messages say them: `thresholds.term.available`, `rule[0].age`, `never[3]`.
 */

const BARE_KEY = /[\w-]+/y;
const BASIC_STRING = /"""(?:\\[\s\S]|[^\\])*?"{3,5}|"(?:\\.|[^"\\\n])*"/y;
const LITERAL_STRING = /'''[\s\S]*?'{3,5}|'[^'\n]*'/y;
const SPACE = /(?:[ \t\r\n]|#[^\n]*)+/y;
const BLANK = /[ \t]+/y;
/** A number, a date, true or false: whatever ends at a comma, a bracket, a comment or the end of the line. */
const PLAIN = /[^,\]}#\n]*/y;

class Scanner {
  readonly lines = new Map<string, number>();
  private readonly text: string;
  private at = 0;
  private line = 1;
  /** Tables of each array of tables so far. */
  private readonly tables = new Map<string, number>();

  constructor(text: string) {
    this.text = text;
  }

  scan(): void {
    let table = '';
    this.take(SPACE);
    while (this.at < this.text.length) {
      if (this.text[this.at] === '[') table = this.header();
      else this.pair(table);
      this.take(SPACE);
    }
  }

  /** What the pattern takes from here on; nothing at all when it does not match here. */
  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ''] = pattern.exec(this.text) ?? [];
    for (const character of found) if (character === '\n') this.line += 1;
    this.at += found.length;
    return found;
  }

  /** `a."b c".d` */
  private keys(): string[] {
    const keys: string[] = [];
    do {
      if (keys.length > 0) this.at += 1;
      this.take(BLANK);
      const quoted = this.take(BASIC_STRING) || this.take(LITERAL_STRING);
      keys.push(quoted ? quoted.slice(1, -1) : this.take(BARE_KEY));
      this.take(BLANK);
    } while (this.text[this.at] === '.');
    return keys;
  }

  /** `[a.b]` or `[[a.b]]`: the path of the table that begins. */
  private header(): string {
    const isArray = this.text[this.at + 1] === '[';
    this.at += isArray ? 2 : 1;
    const keys = this.keys();
    this.at += isArray ? 2 : 1;
    let path = '';
    for (const [index, key] of keys.entries()) {
      path = this.below(path, key);
      if (isArray && index === keys.length - 1) this.tables.set(path, (this.tables.get(path) ?? 0) + 1);
      const count = this.tables.get(path);
      if (count !== undefined) path = this.mark(`${path}[${count - 1}]`);
    }
    return path;
  }

  /** `a.b = value` */
  private pair(table: string): void {
    let path = table;
    for (const key of this.keys()) path = this.below(path, key);
    this.at += 1;
    this.value(path);
  }

  private value(path: string): void {
    this.take(BLANK);
    if (this.take(BASIC_STRING) || this.take(LITERAL_STRING)) return;
    const opening = this.text[this.at];
    if (opening !== '[' && opening !== '{') {
      if (!this.take(PLAIN)) this.at += 1;
      return;
    }
    const closing = opening === '[' ? ']' : '}';
    this.at += 1;
    this.take(SPACE);
    for (let index = 0; this.at < this.text.length && this.text[this.at] !== closing; ++index) {
      if (opening === '[') this.value(this.mark(`${path}[${index}]`));
      else this.pair(path);
      this.take(SPACE);
      if (this.text[this.at] === ',') this.at += 1;
      this.take(SPACE);
    }
    this.at += 1;
  }

  private below(path: string, key: string): string {
    return this.mark(path === '' ? key : `${path}.${key}`);
  }

  /** Notes where a path is met first. */
  private mark(path: string): string {
    if (!this.lines.has(path)) this.lines.set(path, this.line);
    return path;
  }
}

/** The line, from 1, on which each key, table and array element of a TOML text begins, by path. */
export function keyLines(text: string): ReadonlyMap<string, number> {
  const scanner = new Scanner(text);
  scanner.scan();
  return scanner.lines;
}
