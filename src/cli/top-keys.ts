/** Stage: none (a keyboard). The bytes that a terminal sends, as keys. */

export type Key =
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'interrupt'
  | 'suspend'
  | 'redraw'
  /** What was typed, one printable ASCII character. */
  | { readonly letter: string };

const CONTROL: Readonly<Record<string, Key>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\x03': 'interrupt',
  '\x1c': 'interrupt',
  '\x1a': 'suspend',
  '\x0c': 'redraw',
};

/** Behind ESC [ or ESC O, without modifiers. */
const SEQUENCES: Readonly<Record<string, Key>> = {
  ...{ A: 'up', B: 'down', H: 'home', F: 'end' },
  ...{ '5~': 'page-up', '6~': 'page-down', '1~': 'home', '7~': 'home', '4~': 'end', '8~': 'end' },
};

const ESCAPE = '\x1b';
/** What follows an escape. */
const SEQUENCE = /^[[O]([0-9;]*)([@-~])/;
const UNFINISHED = /^[[O][0-9;]*$/;

/** Reads keys from what comes in, in pieces as they come. An escape that nothing follows in its piece is the key. */
export class KeyReader {
  #rest = '';

  /** The keys of one piece. What is no key is passed over. */
  read(piece: string): Key[] {
    const keys: Key[] = [];
    let text = this.#rest + piece;
    this.#rest = '';
    while (text !== '') {
      const behind = text[0] === ESCAPE ? text.slice(1) : '';
      if (UNFINISHED.test(behind)) {
        this.#rest = text;
        break;
      }
      const [sequence = '', digits, last] = SEQUENCE.exec(behind) ?? [];
      const key = sequence === '' ? keyOf(text[0]!) : SEQUENCES[`${digits}${last}`];
      if (key) keys.push(key);
      text = text.slice(1 + sequence.length);
    }
    return keys;
  }
}

function keyOf(character: string): Key | undefined {
  if (character === ESCAPE) return 'escape';
  return CONTROL[character] ?? (/^[ -~]$/.test(character) ? { letter: character } : undefined);
}
