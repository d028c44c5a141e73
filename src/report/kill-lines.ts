/** Stage: bytes → table. The lines that name who was chosen and who was killed, of every kernel from 2.4 on. */

/** How a kill line was worded; that changed with the kernels. */
export type KilledForm = 'dot' | 'plain' | 'vsz' | 'total-vm' | 'shmem' | 'one-line' | 'pgtables' | 'vendor';
/** In which words the line of a choice says that a child may go in its place. */
export type SelectedForm = 'children' | 'a-child' | 'sacrifice';

/** Somebody who was killed, with what the kernel said of its memory. Null where the line does not say. */
export interface Killed {
  pid: number;
  comm: string;
  /** What kind of shortage, in the kernel's words: `Out of memory`. */
  message: string | null;
  uid: number | null;
  totalVmKb: number | null;
  anonRssKb: number | null;
  fileRssKb: number | null;
  shmemRssKb: number | null;
  /** As printed: of 5.4.0 … 5.4.8 in bytes, whatever the line says. */
  pgtablesPrinted: number | null;
  oomScoreAdj: number | null;
  form: KilledForm;
}

/** Whom the scheme chose; a child may have been killed in its place. */
export interface Selected {
  pid: number;
  comm: string;
  message: string | null;
  score: number;
  form: SelectedForm;
}

/** A process as a line of the log names it. */
export interface Named {
  pid: number;
  comm: string;
}

export type KillLine =
  | { kind: 'killed'; killed: Killed }
  | { kind: 'selected'; selected: Selected }
  | { kind: 'sharer'; sharer: Named }
  | { kind: 'already-exiting'; victim: Named; message: string | null }
  /** The name has a line end in it, and goes on on the next line. */
  | { kind: 'unfinished' };

const MESSAGES = [
  'Out of memory',
  'Out of Memory',
  'Memory cgroup out of memory',
  'Out of memory (oom_kill_allocating_task)',
  'Memory cgroup out of memory (oom_kill_allocating_task)',
  'No available memory (MPOL_BIND)',
  'No available memory in cpuset',
];

const KILLED = /Killed process (\d{1,10})(?:, UID (\d{1,10}),)? \(/y;
const SELECTED = /[Kk]ill process (\d{1,10}) \(/y;
const EXITING = /OOM victim (\d{1,10}) \(/y;
const SIZES =
  /^(?:total-vm|vsz):(\d{1,15})kB, anon-rss:(\d{1,15})kB, file-rss:(\d{1,15})kB(?:, shmem-rss:(\d{1,15})kB)?(?:, UID:(\d{1,10}) pgtables:(\d{1,15})kB oom_score_adj:(-?\d{1,4}))?/;
const SCORE = /^(-?\d{1,15}) (and children|or a child|or sacrifice child)/;
const FORMS: Record<string, SelectedForm> = {
  'and children': 'children',
  'or a child': 'a-child',
  'or sacrifice child': 'sacrifice',
};

/** The message before the verb, and where the verb is. */
function splitMessage(text: string): { message: string | null; verb: number } {
  // A longer message may begin with a shorter one, but the colon comes after the whole of it.
  const message = MESSAGES.find((words) => text.startsWith(`${words}: `)) ?? null;
  return { message, verb: message === null ? 0 : message.length + 2 };
}

/** A name ends at the last of `ends`: the name itself may hold the words, what follows it cannot. */
function cutName(text: string, from: number, ends: readonly string[]): { comm: string; tail: string } | null {
  for (const end of ends) {
    const at = text.lastIndexOf(end);
    if (at >= from) return { comm: text.slice(from, at), tail: text.slice(at + end.length) };
  }
  return null;
}

/** A name without anything after it but a full stop. */
function nameAtEnd(text: string, from: number): { comm: string; dot: boolean } | null {
  const trimmed = text.trimEnd();
  const dot = trimmed.endsWith(').');
  if (!dot && !trimmed.endsWith(')')) return null;
  return { comm: trimmed.slice(from, dot ? -2 : -1), dot };
}

function number(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function sizedForm(message: string | null, tail: string, sizes: RegExpExecArray): KilledForm {
  if (sizes[6] !== undefined) return 'pgtables';
  if (message !== null) return 'one-line';
  if (sizes[4] !== undefined) return 'shmem';
  return tail.startsWith('vsz:') ? 'vsz' : 'total-vm';
}

const UID_AFTER_NAME = /, UID (\d{1,10}), $/;

/** `killed` with its sizes: `(comm) total-vm:…`, or RHEL's `(comm), UID 679, total-vm:…`. */
function sizedKill(text: string, from: number, killed: Killed): boolean {
  const at = Math.max(text.lastIndexOf(' total-vm:'), text.lastIndexOf(' vsz:'));
  if (at < from) return false;
  const sizes = SIZES.exec(text.slice(at + 1));
  if (!sizes) return false;
  let head = text.slice(from, at + 1);
  const uid = UID_AFTER_NAME.exec(head.slice(-20));
  if (uid) head = `${head.slice(0, -uid[0].length)} `;
  if (!head.endsWith(') ')) return false;
  killed.comm = head.slice(0, -2);
  killed.totalVmKb = number(sizes[1]);
  killed.anonRssKb = number(sizes[2]);
  killed.fileRssKb = number(sizes[3]);
  killed.shmemRssKb = number(sizes[4]);
  killed.uid = number(sizes[5] ?? uid?.[1]) ?? killed.uid;
  killed.pgtablesPrinted = number(sizes[6]);
  killed.oomScoreAdj = number(sizes[7]);
  killed.form =
    killed.uid !== null && sizes[5] === undefined ? 'vendor' : sizedForm(killed.message, text.slice(at + 1), sizes);
  return true;
}

/** A kill of which only the pid is known yet. */
function nobody(found: RegExpExecArray, message: string | null): Killed {
  return {
    pid: Number(found[1]),
    comm: '',
    message,
    uid: number(found[2]),
    totalVmKb: null,
    anonRssKb: null,
    fileRssKb: null,
    shmemRssKb: null,
    pgtablesPrinted: null,
    oomScoreAdj: null,
    form: 'plain',
  };
}

function parseKilled(text: string, message: string | null, found: RegExpExecArray): KillLine {
  const from = KILLED.lastIndex;
  const killed = nobody(found, message);
  if (sizedKill(text, from, killed)) return { kind: 'killed', killed };
  const named = nameAtEnd(text, from);
  if (!named) return { kind: 'unfinished' };
  killed.comm = named.comm;
  killed.form = named.dot ? 'dot' : 'plain';
  return { kind: 'killed', killed };
}

function parseSelected(text: string, message: string | null, found: RegExpExecArray): KillLine {
  const from = SELECTED.lastIndex;
  const pid = Number(found[1]);
  const scored = cutName(text, from, [') score ']);
  const score = scored && SCORE.exec(scored.tail);
  if (score) {
    const form = FORMS[score[2]!]!;
    return { kind: 'selected', selected: { pid, comm: scored.comm, message, score: Number(score[1]) + 0, form } };
  }
  const sharing = cutName(text, from, [') sharing same memory']);
  return sharing ? { kind: 'sharer', sharer: { pid, comm: sharing.comm } } : { kind: 'unfinished' };
}

/** What an unfinished line says without the rest that never came: the pid, and as much of the name as there is. */
export function parseCutKillLine(text: string): KillLine | null {
  const { message, verb } = splitMessage(text);
  KILLED.lastIndex = verb;
  const found = KILLED.exec(text);
  if (!found) return null;
  const from = KILLED.lastIndex;
  const named = cutName(text, from, [') total-vm:', ') vsz:', '), UID ']);
  return { kind: 'killed', killed: { ...nobody(found, message), comm: named?.comm ?? text.slice(from) } };
}

/** The kill line that a line is, or null. */
export function parseKillLine(text: string): KillLine | null {
  const { message, verb } = splitMessage(text);
  KILLED.lastIndex = verb;
  const killed = KILLED.exec(text);
  if (killed) return parseKilled(text, message, killed);
  SELECTED.lastIndex = verb;
  const selected = SELECTED.exec(text);
  if (selected) return parseSelected(text, message, selected);
  EXITING.lastIndex = verb;
  const exiting = EXITING.exec(text);
  if (!exiting) return null;
  const named = cutName(text, EXITING.lastIndex, [') is already exiting']);
  if (!named) return { kind: 'unfinished' };
  return { kind: 'already-exiting', victim: { pid: Number(exiting[1]), comm: named.comm }, message };
}

/** What the reaper left of a victim, kB. */
export interface Reaped extends Named {
  /** What was left after the reaper had been there. */
  anonRssKb: number;
  fileRssKb: number;
  shmemRssKb: number;
}

export type ReaperLine = { kind: 'reaped'; reaped: Reaped } | { kind: 'unreaped'; victim: Named };

const REAPED = /^oom_reaper: reaped process (\d{1,10}) \(/;
const LEFT = /^anon-rss:(\d{1,15})kB, file-rss:(\d{1,15})kB, shmem-rss:(\d{1,15})kB/;
const UNREAPED = /^oom_reaper: unable to reap pid:(\d{1,10}) \(/;

/** What the kernel's reaper says of a victim, or null. */
export function parseReaperLine(text: string): ReaperLine | null {
  const reaped = REAPED.exec(text);
  if (reaped) {
    const named = cutName(text, reaped[0].length, ['), now ']);
    const left = named && LEFT.exec(named.tail);
    if (!left) return null;
    const [, anon, file, shmem] = left.map(Number);
    const sizes = { anonRssKb: anon!, fileRssKb: file!, shmemRssKb: shmem! };
    return { kind: 'reaped', reaped: { pid: Number(reaped[1]), comm: named.comm, ...sizes } };
  }
  const unreaped = UNREAPED.exec(text);
  const named = unreaped && nameAtEnd(text, unreaped[0].length);
  return named ? { kind: 'unreaped', victim: { pid: Number(unreaped[1]), comm: named.comm } } : null;
}
