/** Stage: none (files). The flags of earlyoom 1.0 to 1.9, told apart as getopt_long(3) does. */

/** Flags of one letter: those with a value. */
const LETTERS_WITH_VALUE = 'msMSNPr';
const LETTERS = `${LETTERS_WITH_VALUE}kingdvph`;
/** Long ones, and whether a value follows. */
const LONG: Readonly<Record<string, boolean>> = {
  prefer: true,
  avoid: true,
  ignore: true,
  dryrun: false,
  'ignore-root-user': false,
  'sort-by-rss': false,
  syslog: false,
  'kernel-oom': false,
  debug: false,
  help: false,
};

/** As it was said. */
export interface Flag {
  /** With its dashes. */
  readonly name: string;
  /** '' where there is none. */
  readonly value: string;
}

/** `--pref` is `--prefer`, as long as it is nothing else. */
function longName(written: string): string {
  const names = Object.keys(LONG).filter((name) => name.startsWith(written));
  if (names.includes(written)) return written;
  if (names.length === 1) return names[0]!;
  const other = names.length === 0 ? 'no flag of earlyoom' : names.map((name) => `--${name}`).join(' or ');
  throw new RangeError(`${JSON.stringify(`--${written}`)} is ${other}`);
}

/** The value of a flag: what is written with it, else the next word. */
function valueFor(name: string, attached: string | undefined, words: Iterator<string>): string {
  const value = attached ?? words.next().value;
  if (value === undefined) throw new RangeError(`${name} wants a value, and there is none`);
  return value;
}

function longFlag(word: string, words: Iterator<string>): Flag {
  const [, written, attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word)!;
  const name = longName(written!);
  if (LONG[name]) return { name: `--${name}`, value: valueFor(`--${name}`, attached, words) };
  if (attached !== undefined) throw new RangeError(`--${name} takes no value, got ${JSON.stringify(attached)}`);
  return { name: `--${name}`, value: '' };
}

/** `-nr60`: letters in one word, the last of which may have its value there too. */
function shortFlags(word: string, words: Iterator<string>): Flag[] {
  const flags: Flag[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const letter = word[at]!;
    const name = `-${letter}`;
    if (!LETTERS.includes(letter)) throw new RangeError(`${JSON.stringify(name)} is no flag of earlyoom`);
    if (LETTERS_WITH_VALUE.includes(letter)) {
      return [...flags, { name, value: valueFor(name, word.slice(at + 1) || undefined, words) }];
    }
    flags.push({ name, value: '' });
  }
  return flags;
}

/** Throws RangeError for what earlyoom would refuse. */
export function earlyoomFlags(line: readonly string[]): Flag[] {
  const words = line.values();
  const flags: Flag[] = [];
  for (const word of words) {
    if (word === '--') break;
    if (word.startsWith('--')) flags.push(longFlag(word, words));
    else if (word.length > 1 && word.startsWith('-')) for (const flag of shortFlags(word, words)) flags.push(flag);
    else throw new RangeError(`${JSON.stringify(word)} is no flag, and earlyoom takes nothing else`);
  }
  const { value: after } = words.next();
  if (after !== undefined) throw new RangeError(`nothing may follow --, got ${JSON.stringify(after)}`);
  return flags;
}
