/**
 * Stage: report. Policies as the text of a policy file, which read back gives the same policies. What a file did not say
 * itself is left out, or marked as a default.
 */
import { isPlain } from './checks.js';
import type { Policy } from './policy.js';
import { POLICY_VERSION, type PolicyFile } from './policy-file.js';
import { snake } from './spelling.js';
import { tomlValue } from './toml-values.js';

/** How much of a policy is written. */
export interface ShowOptions {
  /** With everything that the file leaves to the defaults, marked `# default`. Default false. */
  readonly effective?: boolean;
}

/** Keys of a policy that are tables of their own, with how many levels of keys. */
const TABLES = { parameters: 1, thresholds: 2, pressure: 2, gate: 1, panic: 1, escalation: 1, limits: 2 } as const;
const LISTS = ['rules', 'notify'] as const;
/** What stands for null, which TOML does not have. */
const UNSAID: { readonly [key: string]: string } = {
  reaction: '# reaction = "kill"  # default: the program chooses; unless it does, the victim is killed',
  group: '# group = "adm"  # default: that of who runs the guard',
};
const DEFAULT = '  # default';

/** Writes keys with their values, as far as they are to be shown. */
class Writer {
  readonly #lines: string[] = [];
  readonly #effective: boolean;

  constructor(effective: boolean) {
    this.#effective = effective;
  }

  get text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  line(line: string): void {
    this.#lines.push(line);
  }

  /** `given`: what the file says under this key; undefined when it says nothing. */
  pair(key: string, path: string, value: unknown, given: unknown): void {
    if (given === undefined && !this.#effective) return;
    if (value === null) this.line(UNSAID[key] ?? `# ${path}${DEFAULT}: none`);
    else this.line(`${path} = ${tomlValue(key, value)}${given === undefined ? DEFAULT : ''}`);
  }

  /** A table that goes on for so many levels; no head where there is nothing in it to be shown. */
  table(head: string, value: object, given: unknown, levels: number): void {
    if (given === undefined && !this.#effective) return;
    this.line('');
    this.line(`[${head}]`);
    this.#pairs('', value, given, levels);
  }

  #pairs(path: string, value: object, given: unknown, levels: number): void {
    for (const [key, inner] of Object.entries(value)) {
      const said = isPlain(given) && Object.hasOwn(given, key) ? given[key] : undefined;
      const at = `${path}${snake(key)}`;
      const isTable = levels > 1 && isPlain(inner);
      // That it is there may say something: stalls are asked then.
      if (isTable && !this.#effective && isPlain(said) && Object.keys(said).length === 0) this.line(`${at} = {}`);
      else if (isTable) this.#pairs(`${at}.`, inner, said, levels - 1);
      else this.pair(key, at, inner, said);
    }
  }

  /** `[[head]]`, one for each item. */
  list(head: string, items: readonly object[], given: readonly unknown[]): void {
    for (const [index, item] of items.entries()) {
      this.line('');
      this.line(`[[${head}]]`);
      this.#pairs('', item, given[index], 1);
    }
  }
}

/** A gate may be given by its name alone. */
function asTable(key: string, given: unknown): unknown {
  return key === 'gate' && typeof given === 'string' ? { kind: given } : given;
}

/** `prefix`: of the heads, `domain.` within a `[[domain]]`. */
function writePolicy(writer: Writer, policy: Policy, input: object, prefix: string): void {
  const given = new Map(Object.entries(input));
  const { domain, ...others } = policy;
  for (const [key, value] of Object.entries({ domain, ...others })) {
    const isList = LISTS.includes(key as (typeof LISTS)[number]);
    if (Object.hasOwn(TABLES, key) || (isList && (value as readonly unknown[]).length > 0)) continue;
    const name = key === 'domain' && prefix !== '' ? 'of' : snake(key === 'rules' ? 'rule' : key);
    writer.pair(key, name, value, given.get(key));
  }
  for (const [key, levels] of Object.entries(TABLES) as [keyof typeof TABLES, number][]) {
    writer.table(`${prefix}${key}`, policy[key], asTable(key, given.get(key)), levels);
  }
  for (const key of LISTS) {
    const items = given.get(key);
    writer.list(`${prefix}${key === 'rules' ? 'rule' : key}`, policy[key], Array.isArray(items) ? items : []);
  }
}

/** What a file may leave out as a whole. */
type GivenFile = Omit<PolicyFile, 'fleet'> & Partial<Pick<PolicyFile, 'fleet'>>;

/** Settings of the file's own, which no domain has. */
function writeSettings(writer: Writer, { control, fleet, given }: GivenFile): void {
  writer.table('control', control, Object.keys(given.control).length > 0 ? given.control : undefined, 1);
  // A machine of its own says nothing of a fleet, not even what it leaves to the defaults.
  if (fleet && given.fleet !== undefined) writer.table('fleet', fleet, given.fleet, 1);
}

/** The text of a policy file. Throws RangeError for text that TOML cannot hold. */
export function policyToToml(file: GivenFile, { effective = false }: ShowOptions = {}): string {
  const { policies, given } = file;
  const writer = new Writer(effective);
  writer.line(`version = ${POLICY_VERSION}`);
  const isSeveral = policies.length > 1;
  if (isSeveral) writeSettings(writer, file);
  for (const [index, policy] of policies.entries()) {
    if (isSeveral) {
      writer.line('');
      writer.line('[[domain]]');
    }
    writePolicy(writer, policy, given.policies[index] ?? {}, isSeveral ? 'domain.' : '');
  }
  if (!isSeveral) writeSettings(writer, file);
  return writer.text;
}
