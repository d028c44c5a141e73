/**
 * Stage: report. Every option of the command line, once: what the parser takes, and what help, man page and completion say of it.
 * Which command has which is in commands.ts.
 */
import { SCHEMES } from '../index.js';

/** What a shell may offer for a value besides words. */
export type Offer = 'file' | 'folder' | 'group' | 'program';

export interface Option {
  readonly short?: string;
  /** What the value is called; options without one are switches. */
  readonly value?: string;
  /** The words that a value may be, where these are all. */
  readonly choices?: readonly string[];
  readonly offer?: Offer;
  /** It can be given again wherever it is known, and each time counts. */
  readonly multiple?: true;
  /** What it does, where the command does not say it in words of its own. */
  readonly words: string;
}

export const OPTIONS = {
  scheme: { value: 'NAME', choices: SCHEMES, words: 'how points are computed (badness)' },
  count: { short: 'n', value: 'N', words: 'so many' },
  json: { words: 'NDJSON: a line about the machine, then one object a line' },
  html: { words: 'one page with plots that needs nothing else' },
  all: { words: 'everybody, with those that may not be chosen and the reason' },
  columns: { value: 'A,B,C', words: 'which columns' },
  rounds: { value: 'N', words: 'decide N times before' },
  stats: { words: 'say what each of those rounds cost' },
  tasks: {
    value: 'FILE',
    offer: 'file',
    words:
      'rank task records (NDJSON, one object a line) instead of this machine; - is standard input. The output of rank --json is such a file',
  },
  proc: { value: 'ROOT', offer: 'folder', words: 'a Linux /proc mounted elsewhere' },
  uptime: {
    value: 'S',
    words: 'how long the machine of those tasks was up; a first line of the file may say it as uptime_s',
  },
  hz: { value: 'N', words: 'its ticks a second (hz)' },
  'total-pages': { value: 'N', words: 'its memory and swap, in pages (total_pages)' },
  'page-size': { value: 'N', words: 'bytes of a page (page_size)' },
  'max-discount': { value: 'N', words: 'scheme badness: what age and CPU time divide by at most (4)' },
  age: {
    value: 'WHOM',
    choices: ['spare-old', 'spare-young', 'ignore'],
    words: 'scheme badness: spare-old (default), spare-young or ignore',
  },
  adj: {
    value: 'HOW',
    choices: ['never-only', 'kernel'],
    words:
      'our own schemes: never-only (default; of oom_score_adj only -1000 counts) or kernel (it adds thousandths of memory)',
  },
  'no-color': { words: 'no colour on a terminal either; NO_COLOR does the same' },
  enforce: { words: 'kill; without it nobody is signalled' },
  domain: { value: 'NAME', words: 'what is short of memory' },
  signal: { value: 'NAME', choices: ['TERM', 'KILL'], words: 'begin with TERM (default) or KILL' },
  queue: {
    value: "'PID ...'",
    words: 'these first, the first one alive that may be chosen; when there is none among them the scheme chooses',
  },
  native: {
    value: 'HOW',
    choices: ['auto', 'none'],
    words: 'auto (default) or none: without koffi; see badness doctor',
  },
  memory: {
    short: 'm',
    value: 'PERCENT[,KILL]',
    words: 'SIGTERM at or below so much available memory, SIGKILL at KILL (10,5; KILL alone is half of PERCENT)',
  },
  swap: { short: 's', value: 'PERCENT[,KILL]', words: 'and so much free swap, both at once (10,5)' },
  'memory-kib': { short: 'M', value: 'KIB[,KILL]', words: 'the same as -m in KiB; beside -m the lower one counts' },
  'swap-kib': { short: 'S', value: 'KIB[,KILL]', words: 'the same as -s in KiB; beside -s the lower one counts' },
  'process-group': {
    short: 'g',
    words: 'the whole process group of the victim goes with it, such as all of a fork bomb; not whom it may not choose',
  },
  report: { short: 'r', value: 'SECONDS', words: 'a line about memory so often (3600); 0 for none' },
  before: { short: 'P', value: 'PROGRAM', offer: 'program', words: 'run before a kill; 100 ms are waited for it' },
  after: {
    short: 'N',
    value: 'PROGRAM',
    offer: 'program',
    words:
      'run after a kill. Both get EARLYOOM_PID, EARLYOOM_UID, EARLYOOM_NAME and EARLYOOM_CMDLINE; no shell is involved',
  },
  ignore: { value: 'REGEX', words: 'never tasks whose name it is found in (comm, 15 bytes)' },
  avoid: { value: 'REGEX', words: 'a quarter of the points for those' },
  prefer: {
    value: 'REGEX',
    words: 'four times the points: a factor of size, it never makes a small task go before a large one by accident',
  },
  effective: { words: 'show: with what the file leaves to the defaults, marked # default' },
  policy: { value: 'FILE', offer: 'file', words: 'rules and parameters of a policy file; see badness policy' },
  control: {
    value: 'PATH',
    offer: 'file',
    words:
      'the socket of the guard (default: /run/badness/control.sock, for a user $XDG_RUNTIME_DIR/badness/control.sock; or BADNESS_CONTROL)',
  },
  'control-group': { value: 'G', offer: 'group', words: 'members of this group may use it too' },
  'control-self': { words: 'every task may ask for its own protection, and for no more' },
  clear: { words: 'oom: nobody goes first any more' },
  feed: { words: 'oom: keep the queue filled from a ranking of its own' },
  every: {
    value: 'MS',
    words: 'oom --feed: from one ranking to the next (1000). A list counts three times as long',
  },
  decisions: {
    value: 'N',
    words: 'keep the last N decisions whole, 0..64 (16), in 16 MiB at most, for badness ctl decision ID --to-proc',
  },
  redact: { words: 'names of tasks, commands, users and cgroups become numbers' },
  for: { value: 'TIME', words: 'so long, such as 60s or 10min; default: one snapshot' },
  output: {
    short: 'o',
    value: 'FILE',
    offer: 'file',
    words:
      'write there; default: standard output. It is there when it is whole. SIGINT ends the recording, and it is kept',
  },
  force: { words: 'replace FILE' },
  'max-mib': { value: 'N', words: 'end before it is larger than that (256)' },
  replay: { value: 'FILE', offer: 'file', words: 'a recording (badness record); - is standard input' },
  at: {
    value: 'WHEN',
    words: 'its snapshot: a number from 1, a time since the first (12s), first, or last (default)',
  },
  available: { value: 'HOW', words: 'a share (5%) or a size (512MiB)' },
  'swap-free': { value: 'HOW', words: 'and so much swap is free then (0)' },
  fleet: {
    value: 'URL',
    multiple: true,
    words:
      'a server of the fleet, such as nats://10.0.0.1:4222 (BADNESS_FLEET; or that of a policy file); can be given again',
  },
  creds: { value: 'FILE', offer: 'file', words: 'credentials (.creds, or the seed of an nkey) for it' },
  'tls-ca': { value: 'FILE', offer: 'file', words: 'who may have signed the certificate of the server' },
  'tls-cert': { value: 'FILE', offer: 'file', words: 'a certificate of your own' },
  'tls-key': { value: 'FILE', offer: 'file', words: 'and its key' },
  key: { value: 'FILE', offer: 'file', words: 'the private key that policies are signed with (badness fleet key)' },
  label: { value: 'NAME', multiple: true, words: 'rollout: machines with this label; can be given again' },
  percent: { value: 'N', words: 'rollout: so many of the machines, 0..100, by the hash of their names' },
  complete: { words: 'rollout: everybody; the policy on its way out becomes the policy' },
  stop: { words: 'rollout: nobody; the policy on its way out is dropped' },
  host: { value: 'NAME', multiple: true, words: 'only this machine; can be given again' },
  since: { value: 'TIME', words: 'decisions: of so long ago and later, such as 1h (all that is kept)' },
  deadline: { value: 'TIME', words: 'top, who-dies: answers are waited for so long (3s)' },
  'to-proc': { words: 'as a recording, on standard output' },
  seed: { value: 'N', words: 'of everything left to chance, 0..4294967295 (that of the scenario)' },
  runs: { value: 'N', words: 'play each N times, with the next seed each, 1..1000 (1)' },
  svg: { value: 'FILE', offer: 'file', words: 'draws memory over time, a panel for each policy' },
  tap: { words: 'TAP 14, for a harness' },
  junit: { value: 'FILE', offer: 'file', words: 'also writes JUnit XML, for CI' },
  against: {
    value: 'FILE',
    offer: 'file',
    words: 'the old policy; default: that of each recording, else the default one',
  },
  jobs: { short: 'j', value: 'N', words: 'so many threads, 1..64 (as many as there are processors)' },
  help: { short: 'h', words: 'this text' },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof OPTIONS;

type ValueOf<O> = O extends { multiple: true } ? string[] : O extends { value: string } ? string : boolean;

/** What was said, and what was said last of an option that was given again, unless all of it counts everywhere; numbers are still text. */
export type Values = { -readonly [Name in OptionName]?: ValueOf<(typeof OPTIONS)[Name]> };

/** An option, for those who do not know which. */
export function optionNamed(name: OptionName): Option {
  return OPTIONS[name];
}
