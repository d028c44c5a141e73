/**
 * Stage: report. Takes out of a recording what tells about people: names of tasks, commands, users and cgroups become numbered ones,
 * the same for the same within one recording. They are numbered and not hashed, so that nobody can try names until one fits.
 * Numbers, sizes and times stay.
 */
import { matchGlob } from '../policy/glob.js';
import { NEVER_DEFAULT } from '../policy/policy.js';
import { type Entry, FACTS_DEFAULT, type RecordedDomain, type RecordingFacts } from './recording.js';
import { textOf } from './spelling.js';
import type { MachineState } from './writer.js';

/** Fields of stat, numbered as in proc_pid_stat(5), that hold addresses. */
const ADDRESSES = [26, 27, 28, 29, 30, 35, 45, 46, 47, 48, 49, 50, 51];
const FIRST_USER = 100_001;
/** What of the path of a cgroup is the mount and not a name. */
const MOUNTS = /^\/sys\/fs\/cgroup(?:\/memory|\/unified)?(?=\/|$)/;

/** As stat has a name that status tells with its newlines and backslashes escaped. */
function unescaped(name: string): string {
  return name.replace(/\\(n|\\)/g, (_, letter) => (letter === 'n' ? '\n' : '\\'));
}

/** Numbers what it is asked for in the order in which it comes. */
class Numbered {
  readonly #word: string;
  readonly #known = new Map<string, string>();

  constructor(word: string) {
    this.#word = word;
  }

  of(name: string): string {
    let found = this.#known.get(name);
    if (found === undefined) {
      found = `${this.#word}${this.#known.size + 1}`;
      this.#known.set(name, found);
    }
    return found;
  }
}

/** One for each recording: what it has replaced once it replaces the same way again. */
export class Redactor {
  readonly #names = new Numbered('task');
  readonly #words = new Numbered('word');
  readonly #programs = new Numbered('/program');
  readonly #groups = new Numbered('group');
  readonly #users = new Map<number, number>();

  /** What a reader should know, for the first lines. */
  comments(): string[] {
    return [
      'Redacted: names of tasks, commands, programs, users and cgroups are numbered; addresses are 0.',
      'Left as they are: pids, sizes, times, the kernel release, who is root, capabilities, nice values, oom_score_adj,',
      'how many arguments a command has, and names on the shipped never list, since they decide who is chosen.',
    ];
  }

  facts(facts: Partial<RecordingFacts>): RecordingFacts {
    const { domain = FACTS_DEFAULT.domain } = facts;
    // The rules of a policy name what is to be hidden.
    const hidden = {
      domain: this.#domain(domain),
      policy: null,
      users: new Map(),
      redacted: ['names', 'commands', 'users', 'cgroups'],
    };
    return { ...FACTS_DEFAULT, ...facts, ...hidden };
  }

  #domain(domain: RecordedDomain): RecordedDomain {
    if (domain.kind === 'system') return domain;
    return domain.kind === 'memcg' ? { ...domain, dir: this.#path(domain.dir) } : { ...domain, name: 'domain' };
  }

  /** A snapshot with everything replaced. Task records and decisions are left out: they are made of names. */
  state(state: MachineState): MachineState {
    const entries = new Map(Array.from(state.entries, ([path, entry]) => [this.#path(path), this.#entry(path, entry)]));
    const owners = new Map(Array.from(state.owners, ([path, uid]) => [path, this.#user(uid)]));
    return { ...state, entries, owners, facts: { ...state.facts, tasks: null, decision: null } };
  }

  #user(uid: number): number {
    if (uid === 0) return 0;
    const known = this.#users.get(uid) ?? FIRST_USER + this.#users.size;
    this.#users.set(uid, known);
    return known;
  }

  #name(comm: string): string {
    const text = textOf(comm);
    return NEVER_DEFAULT.some((pattern) => matchGlob(pattern, text)) ? comm : this.#names.of(comm);
  }

  #entry(path: string, entry: Entry): Entry {
    if (entry.kind === 'link') return { kind: 'link', target: this.#programs.of(entry.target) };
    if (entry.kind === 'error') return entry;
    return { kind: 'file', bytes: this.#file(path, entry.bytes) };
  }

  #file(path: string, bytes: string): string {
    if (!/^\/proc\/\d+\//.test(path)) return bytes;
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name === 'stat') return this.#stat(bytes);
    if (name === 'status') return this.#status(bytes);
    if (name === 'cmdline') return this.#cmdline(bytes);
    if (name === 'cgroup') return this.#cgroup(bytes);
    return /^[-\d\s]*$/.test(bytes) ? bytes : this.#words.of(bytes);
  }

  #stat(bytes: string): string {
    const [open, close] = [bytes.indexOf('('), bytes.lastIndexOf(')')];
    if (open < 0 || close < open) return this.#words.of(bytes);
    const fields = bytes.slice(close + 2).split(' ');
    for (const number of ADDRESSES) if (fields[number - 3] !== undefined) fields[number - 3] = '0';
    return `${bytes.slice(0, open)}(${this.#name(bytes.slice(open + 1, close))}) ${fields.join(' ')}`;
  }

  #status(bytes: string): string {
    return bytes
      .replace(/^Name:\t(.*)$/m, (_, name: string) => `Name:\t${this.#name(unescaped(name))}`)
      .replace(/^(Uid|Gid):.*$/gm, (line) => line.replace(/\d+/g, (uid) => String(this.#user(Number(uid)))));
  }

  #cmdline(bytes: string): string {
    return bytes
      .split('\0')
      .map((word) => (word === '' ? '' : this.#words.of(word)))
      .join('\0');
  }

  #cgroup(bytes: string): string {
    return bytes.replace(/^(\d+:[^:\n]*:)(.*)$/gm, (_, head: string, path: string) => head + this.#groupPath(path));
  }

  #groupPath(path: string): string {
    return path
      .split('/')
      .map((part) => (part === '' ? '' : this.#groups.of(part)))
      .join('/');
  }

  /** Paths outside of /proc are those of cgroups; the last word of a file's is what the kernel calls it. */
  #path(path: string): string {
    if (path.startsWith('/proc/')) return path;
    const mount = MOUNTS.exec(path)?.[0] ?? '';
    const inside = path.slice(mount.length);
    const [, folder = inside, file = ''] = /^(.*)(\/memory\.[a-z_.]+)$/.exec(inside) ?? [];
    return mount + this.#groupPath(folder) + file;
  }
}
