/** Stage: watch → report. `badness guard`: the daemon. Says what it would do; kills only with --enforce. */
import { setFlagsFromString } from 'node:v8';
import type { Control } from '../control/index.js';
import type { GuardEvent } from '../guard/index.js';
import {
  commandNotifier,
  type LinuxGuard,
  openLinuxGuard,
  openServiceManager,
  type ServiceManager,
} from '../linux/index.js';
import { readArguments, refuseOperands } from './arguments.js';
import { nativeCalls } from './doctor.js';
import { type ControlPlace, findControlPlace, openGuardControl, protectionState } from './guard-control.js';
import { type GuardFleet, openGuardFleet } from './guard-fleet.js';
import { type GuardRequest, guardRequest } from './guard-options.js';
import { onHangUp, reload } from './guard-reload.js';
import { GuardVoice } from './guard-voice.js';
import { startLines, statusLine } from './guard-words.js';
import { commandHelp, version } from './help.js';
import { writeLines } from './output.js';

/** A guard that nobody watches comes round as often when memory is plenty. */
const TURN_MOST_MS = 1000;

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
  const { policy, native, processGroup, decisions } = request;
  const { tell, note, manager } = hearing;
  const protection = { ...protectionState(place), tell: note };
  const acting = { policy, for: 'daemon', tell, native, processGroup, lockMemory: true } as const;
  const options = { ...acting, protection, decisions, ...watched(manager) };
  return openLinuxGuard(options);
}

/** Calls the programs of -P and -N around each kill. */
function registerCommands(guard: LinuxGuard, { before, after }: GuardRequest): void {
  if (before) guard.register(commandNotifier({ phase: 'beforeKill', command: [before] }));
  if (after) guard.register(commandNotifier({ phase: 'afterKill', command: [after] }));
}

/** A line about memory now and then, as earlyoom's -r. */
function startReports(guard: LinuxGuard, { reportS }: GuardRequest, voice: GuardVoice): () => void {
  if (reportS === 0) return () => {};
  const report = () => {
    const { level, counters } = guard;
    const words = guard.describe();
    voice.say(
      () => [{ priority: 6, text: words }],
      () => ({ kind: 'report', level, words, ...counters }),
    );
  };
  const timer = setInterval(report, reportS * 1000);
  return () => clearInterval(timer);
}

/** What it guards, and how. */
function sayStart(guard: LinuxGuard, control: Control | null, notes: readonly string[], voice: GuardVoice): void {
  const facts = { ...guard.facts, notes: [...guard.facts.notes, ...notes] };
  voice.say(
    () => startLines(facts, guard.policy, version()),
    () => ({
      ...{ kind: 'start', version: version(), ...guard.factsToJson(), notes: facts.notes },
      control: control?.path ?? null,
    }),
  );
}

/**
 * V8 would let the space for new objects grow from 1 to 16 MiB and seldom give it back, for a loop whose objects hardly outlive a round: this
 * way a guard holds 5 MiB less and does not creep. Other runtimes have no such flag, and ignore it.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
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
  if (values.replay !== undefined) return (await import('./guard-replay.js')).guardReplay(values);
  keepHeapSmall();
  // Before anything is opened: whoever stops a guard that is only beginning gets a clean end as well.
  const stopped = untilStopped();
  const heardHangUp = onHangUp(values);
  const request = await guardRequest(values);
  const load = await nativeCalls(request.native);
  const voice = new GuardVoice(request.json);
  const note = (words: string) => voice.note(words);
  const manager = openServiceManager(load, { tell: note });
  let control: Control | null = null;
  let running: LinuxGuard | null = null;
  let fleet: GuardFleet | null = null;
  const tell = (event: GuardEvent) => {
    control?.hear(event);
    voice.tell(event, running?.policy ?? request.policy);
    fleet?.hear(event);
  };
  const place = await findControlPlace(request.control);
  const open = await openGuard(request, place, { tell, note, manager });
  running = open;
  const opened = await openGuardControl(place, open, request.control).catch(async (error: unknown) => {
    await open.close();
    throw error;
  });
  control = opened.control;
  registerCommands(open, request);
  sayStart(open, control, opened.notes, voice);
  manager?.ready(statusLine(open.facts));
  const stopReports = startReports(open, request, voice);
  fleet = openGuardFleet({ guard: open, values, request, version: version(), note });
  heardHangUp(() => void reload({ guard: open, values, began: request, manager, note, fleet }));
  const signal = await Promise.race([stopped, open.run()]);
  manager?.stopping();
  stopReports();
  await control?.close();
  await Promise.all([open.close(), fleet?.close()]);
  if (signal) {
    voice.say(
      () => [{ priority: 6, text: `${signal}: stopped` }],
      () => null,
    );
  }
  manager?.close();
  voice.close();
}
