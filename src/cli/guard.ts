/** Stage: watch → report. `badness guard`: the daemon. Says what it would do; kills only with --enforce. */
import type { Control } from '../control/index.js';
import { type GuardEvent, guardEventToJson } from '../guard/index.js';
import {
  commandNotifier,
  type LinuxGuard,
  openLinuxGuard,
  openServiceManager,
  readMachine,
  ruleNotifier,
  type ServiceManager,
} from '../linux/index.js';
import { readArguments, refuseOperands } from './arguments.js';
import { nativeCalls } from './doctor.js';
import { CommandError, EXIT } from './exit.js';
import { type ControlPlace, findControlPlace, openGuardControl, protectionState } from './guard-control.js';
import { type GuardRequest, guardRequest } from './guard-options.js';
import { type LineWriter, openLineWriter } from './guard-output.js';
import { eventLines, type Line, startLines, statusLine } from './guard-words.js';
import { commandHelp, version } from './help.js';
import { writeLines } from './output.js';

/** A guard that nobody watches comes round as often when memory is plenty. */
const TURN_MOST_MS = 1000;

/** systemd reads `<4>` before a line that a service writes to the journal (sd-daemon(3)). */
function shown({ priority, text }: Line): string {
  return process.env.JOURNAL_STREAM ? `<${priority}>${text}` : text;
}

/** What hears of the guard while it runs. */
interface Hearing {
  readonly tell: (event: GuardEvent) => void;
  /** What is not as it should be, in words. */
  readonly note: (words: string) => void;
  readonly manager: ServiceManager | null;
}

/** The guard comes round as often as a watchdog has to hear of it. */
function watched(manager: ServiceManager | null) {
  if (!manager) return {};
  const { turnMs } = manager;
  const onTurn = (nowMs: number) => manager.turned(nowMs);
  return turnMs === null ? {} : { onTurn, mostMs: Math.min(turnMs, TURN_MOST_MS) };
}

function openGuard(request: GuardRequest, place: ControlPlace, hearing: Hearing): Promise<LinuxGuard> {
  const { policy, native } = request;
  const { tell, note, manager } = hearing;
  const protection = { ...protectionState(place), tell: note };
  const options = { policy, for: 'daemon', tell, native, lockMemory: true, protection, ...watched(manager) } as const;
  return openLinuxGuard(options).catch((error: unknown) => {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'EPRESSURE' || code === 'EDOMAIN') throw new CommandError(EXIT.unwatchable, message);
    throw error;
  });
}

/** Its lines on standard output: words, or with --json objects. */
function openVoice(json: boolean) {
  const out = openLineWriter((lines) =>
    json
      ? JSON.stringify({ kind: 'dropped', lines })
      : shown({ priority: 4, text: `${lines} lines could not be written` }),
  );
  const say = (lines: Line[]) => {
    for (const line of lines) out.write(shown(line));
  };
  const note = (text: string) => {
    if (json) out.write(JSON.stringify({ kind: 'note', text }));
    else say([{ priority: 5, text: `note: ${text}` }]);
  };
  return { out, say, note };
}

/** Calls the programs of -P and -N around each kill, and whom the policy wants to be told. */
function registerCommands(guard: LinuxGuard, { before, after, policy }: GuardRequest): void {
  if (before) guard.register(commandNotifier({ phase: 'beforeKill', command: [before] }));
  if (after) guard.register(commandNotifier({ phase: 'afterKill', command: [after] }));
  policy.notify.forEach((rule, index) => {
    guard.register(ruleNotifier(rule, index));
  });
}

/** A line about memory now and then, as earlyoom's -r. */
function startReports(guard: LinuxGuard, { reportS, json }: GuardRequest, out: LineWriter): () => void {
  if (reportS === 0) return () => {};
  const report = () => {
    const { level, counters } = guard;
    const words = guard.describe();
    out.write(
      json ? JSON.stringify({ kind: 'report', level, words, ...counters }) : shown({ priority: 6, text: words }),
    );
  };
  const timer = setInterval(report, reportS * 1000);
  return () => clearInterval(timer);
}

/** Memory may hover about a threshold: the same level is told in words once a minute. */
class LevelLines {
  readonly #toldMs = new Map<string, number>();

  isNews(level: string, nowMs: number): boolean {
    if (nowMs - (this.#toldMs.get(level) ?? Number.NEGATIVE_INFINITY) < 60_000) return false;
    this.#toldMs.set(level, nowMs);
    return true;
  }
}

/** SIGTERM and SIGINT end the guard; a second one ends the process as usual. */
function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}

/** Runs the command. `argv` is what follows its name. */
export async function guard(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('guard', argv);
  if (values.help) return writeLines(commandHelp('guard'));
  refuseOperands('guard', positionals);
  // Before anything is opened: whoever stops a guard that is only beginning gets a clean end as well.
  const stopped = untilStopped();
  const request = await guardRequest(values);
  const { policy, json } = request;
  const machine = readMachine();
  const load = await nativeCalls(request.native);
  const { out, say, note } = openVoice(json);
  const manager = openServiceManager(load, { tell: note });
  const now = () => ({ ...machine, uptimeS: readMachine().uptimeS });
  const levels = new LevelLines();
  let control: Control | null = null;
  const tell = (event: GuardEvent) => {
    control?.hear(event);
    if (!json && event.kind === 'level' && !levels.isNews(event.level, event.atMs)) return;
    if (json) out.write(JSON.stringify(guardEventToJson(event)));
    else say(eventLines(event, policy, now()));
  };
  const place = await findControlPlace(request.control);
  const open = await openGuard(request, place, { tell, note, manager });
  const opened = await openGuardControl(place, open, request.control).catch(async (error: unknown) => {
    await open.close();
    throw error;
  });
  control = opened.control;
  registerCommands(open, request);
  const facts = { ...open.facts, notes: [...open.facts.notes, ...opened.notes] };
  if (json) {
    const record = { kind: 'start', version: version(), ...open.factsToJson(), notes: facts.notes };
    out.write(JSON.stringify({ ...record, control: control?.path ?? null }));
  } else say(startLines(facts, policy, version()));
  manager?.ready(statusLine(facts));
  const stopReports = startReports(open, request, out);
  const running = open.run();
  const signal = await Promise.race([stopped, running]);
  manager?.stopping();
  stopReports();
  await control?.close();
  await open.close();
  if (!json && signal) say([{ priority: 6, text: `${signal}: stopped` }]);
  manager?.close();
  out.close();
}
