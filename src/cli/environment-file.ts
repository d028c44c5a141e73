/**
 * Stage: none (files). A file of variables as systemd reads it (EnvironmentFile=), and the words that a variable becomes on the command line
 * of a service ($NAME). Not what a shell would make of it: there a backslash between single quotes is itself.
 */

const BLANK = /[ \t]/;
const NEWLINE = /[\n\r]/;
const SPACE = /[ \t\n\r]/;
const NAME = /^[A-Za-z_]\w*$/;
/** What a backslash takes its meaning from between double quotes; before anything else it is itself. */
const DOUBLE_QUOTED = /["\\`$]/;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** '' at the end. */
  get next(): string {
    return this.#text[this.#at] ?? '';
  }

  take(): string {
    return this.#text[this.#at++] ?? '';
  }

  /** Everything before the next character that `ends`. */
  until(ends: RegExp): string {
    const from = this.#at;
    while (this.next !== '' && !ends.test(this.next)) this.#at += 1;
    return this.#text.slice(from, this.#at);
  }

  skip(what: RegExp): void {
    while (what.test(this.next)) this.#at += 1;
  }
}

/** After the opening quote. */
function doubleQuoted(reader: Reader): string {
  let text = '';
  for (let character = reader.take(); character !== '"' && character !== ''; character = reader.take()) {
    if (character !== '\\') text += character;
    else if (DOUBLE_QUOTED.test(reader.next)) text += reader.take();
    else if (reader.next === '\n') reader.take();
    else text += character;
  }
  return text;
}

/** To the end of the line, without the blanks there; quotes are nothing special any more. */
function bare(reader: Reader): string {
  let text = '';
  let kept = 0;
  for (; reader.next !== '' && !NEWLINE.test(reader.next); ) {
    const character = reader.take();
    const isEscape = character === '\\';
    // A newline that is escaped goes on in the next line.
    if (isEscape && NEWLINE.test(reader.next)) reader.take();
    else text += isEscape ? reader.take() : character;
    if (isEscape || !BLANK.test(character)) kept = text.length;
  }
  return text.slice(0, kept);
}

function value(reader: Reader): string {
  for (let text = ''; ; ) {
    reader.skip(BLANK);
    if (reader.next === '' || NEWLINE.test(reader.next)) return text;
    if (reader.next === "'") {
      reader.take();
      text += reader.until(/'/);
      reader.take();
    } else if (reader.next === '"') {
      reader.take();
      text += doubleQuoted(reader);
    } else return text + bare(reader);
  }
}

/** The variables of a file; of a name that stands there twice, the last. Lines that are none are left out, as systemd does. */
export function environmentOf(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  const reader = new Reader(text);
  for (reader.skip(SPACE); reader.next !== ''; reader.skip(SPACE)) {
    if (/[#;]/.test(reader.next)) {
      reader.until(NEWLINE);
      continue;
    }
    const name = reader.until(/[=\n\r]/).trimEnd();
    if (reader.next !== '=') continue;
    reader.take();
    const given = value(reader);
    if (NAME.test(name)) variables.set(name, given);
  }
  return variables;
}

/** The words of $NAME: quotes hold together and go away, and a backslash, between quotes as well, makes the next character plain. */
export function wordsOfValue(text: string): string[] {
  const reader = new Reader(text);
  const words: string[] = [];
  for (reader.skip(SPACE); reader.next !== ''; reader.skip(SPACE)) words.push(word(reader));
  return words;
}

function word(reader: Reader): string {
  let text = '';
  let quote = '';
  while (reader.next !== '' && (quote !== '' || !SPACE.test(reader.next))) {
    const character = reader.take();
    if (character === '\\') text += reader.take();
    else if (character === quote) quote = '';
    else if (quote === '' && /['"]/.test(character)) quote = character;
    else text += character;
  }
  return text;
}
