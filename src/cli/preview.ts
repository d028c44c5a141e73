/** Stage: report. `badness preview`: who dies if memory falls to this, in which order, and what that gives back. */
import type { Engine } from '../index.js';
import { type PolicyView, viewByPolicy } from '../linux/index.js';
import { type Policy, type Preview, type PreviewedKill, preview as previewKills, threshold } from '../policy/index.js';
import { domainName, openRecordedChooser, tasksRecorded } from '../recording/index.js';
import { integer, readArguments, refuseOperands, usage } from './arguments.js';
import { nativeCalls } from './doctor.js';
import { guardRequest } from './guard-options.js';
import { policyReplayed, withoutPluginSaid } from './guard-replay.js';
import { commandHelp } from './help.js';
import { printable } from './names.js';
import type { Values } from './options.js';
import { writeLines, writeWords } from './output.js';
import { previewRecord } from './preview-json.js';
import { counted, memory } from './quantities.js';
import { openRecordedFiles } from './recording-file.js';
import { openEngineFor, openEngineOf } from './source.js';
import { type Column, screenOf, tableLines, wrapped } from './table.js';

const KIB = 1024;
const MOST = 1000;

type View = Pick<PolicyView, 'domain' | 'memory' | 'rules' | 'shares' | 'rootTgid' | 'notes'>;

/** What the preview is of. */
interface Previewed {
  readonly view: View;
  readonly policy: Policy;
  readonly result: Preview;
}

function thresholdNamed(option: string, text: string) {
  try {
    return threshold(text, option);
  } catch (error) {
    throw usage((error as Error).message);
  }
}

/** What was asked of it, checked before anything is read. */
function asked(values: Values) {
  if (values.available === undefined)
    throw usage('expected --available 5% or --available 512MiB: how low memory falls');
  if (values.at !== undefined && values.replay === undefined) throw usage('--at goes with --replay');
  const swapFree = values['swap-free'];
  return {
    available: thresholdNamed('--available', values.available),
    ...(swapFree === undefined ? {} : { swapFree: thresholdNamed('--swap-free', swapFree) }),
    most: integer('-n', values.count ?? String(MOST), 1, MOST),
  };
}

/** What is known of the machine before memory falls, with its tasks in the engine. */
interface Before {
  readonly engine: Engine;
  readonly view: View;
  readonly policy: Policy;
}

async function liveMachine(values: Values): Promise<Before> {
  const { policy: asWritten, native } = await guardRequest(values);
  const policy = withoutPluginSaid(asWritten);
  await nativeCalls(native);
  const engine = await openEngineFor('/proc');
  return { engine, policy, view: await viewByPolicy(engine, policy, { native }) };
}

async function recordedMachine(values: Values): Promise<Before> {
  const other = (['domain', 'native'] as const).find((option) => values[option] !== undefined);
  if (other) throw usage(`--${other} is for a running machine; a recording has its own`);
  const request = await guardRequest(values);
  const files = await openRecordedFiles(values);
  const policy = await policyReplayed(values, request, files.recording);
  const engine = await openEngineOf(tasksRecorded(files));
  const chooser = await openRecordedChooser(engine, files, policy);
  const { rules = null, options: scoring } = chooser.choose();
  const view: View = {
    ...{ domain: domainName(files.recording), memory: chooser.memory.read() },
    ...{ rules, shares: files.facts.shares, rootTgid: scoring.rootTgid, notes: [] },
  };
  return { engine, policy, view };
}

async function previewed(values: Values): Promise<Previewed> {
  const options = asked(values);
  const { engine, policy, view } = await (values.replay === undefined ? liveMachine(values) : recordedMachine(values));
  const { memory: now, rules, shares, rootTgid } = view;
  const root = rootTgid === undefined ? {} : { rootTgid };
  return { view, policy, result: previewKills(engine, { ...options, policy, memory: now, rules, shares, ...root }) };
}

const COLUMNS: Column[] = [
  { title: '#', right: true },
  { title: 'PID', right: true },
  { title: 'SIGNAL' },
  { title: 'GIVES BACK', right: true },
  { title: 'SWAP', right: true, dispensable: 2 },
  { title: 'STAYS', right: true, dispensable: 1 },
  { title: 'AVAILABLE', right: true },
  { title: 'NAME', least: 8 },
];

function percent({ availableKib, basisKib }: Preview['start']): string {
  return `${Math.min((availableKib * 100) / basisKib, 100).toFixed(1)} %`;
}

function cellsOf(kill: PreviewedKill, index: number): string[] {
  const { task, signal, backKib, swapBackKib, staysKib, sharers, after } = kill;
  const others = sharers.length > 0 ? ` and ${counted(sharers.length, 'sharer')} (${sharers.join(', ')})` : '';
  return [
    String(index + 1),
    String(task.tgid),
    signal,
    memory(backKib * KIB),
    memory(swapBackKib * KIB),
    memory(staysKib * KIB),
    `${memory(after.availableKib * KIB)} ${percent(after)}`,
    printable(task.comm) + others,
  ];
}

function endWords({ end, kills, start }: Preview): string {
  const last = kills.at(-1)?.after ?? start;
  const dead = kills.reduce((sum, { sharers }) => sum + 1 + sharers.length, 0);
  const sum = memory(kills.reduce((all, { backKib }) => all + backKib, 0) * KIB);
  switch (end) {
    case 'not-short':
      return 'nobody dies: by the thresholds of the policy memory is not short then';
    case 'enough':
      return `${counted(dead, 'task')} would die and give back ${sum}: ${memory(last.availableKib * KIB)} (${percent(last)}) available, not short any more`;
    case 'nobody':
      return `still short after ${counted(dead, 'death')} and ${sum}: nobody else may be chosen`;
    case 'in-flight':
      return 'the scheme waits for a task that is dying, and chooses nobody';
    case 'most':
      return `and more: still short after the ${counted(dead, 'death')} shown, which give back ${sum}`;
  }
}

function lines({ view, policy, result }: Previewed): string[] {
  const { width } = screenOf(process.stdout);
  const { start, level, kills, assumptions } = result;
  const swap = start.swapTotalKib > 0 ? `, ${memory(start.swapFreeKib * KIB)} of swap free` : '';
  const head = `if ${view.domain} falls to ${memory(start.availableKib * KIB)} (${percent(start)}) available${swap}: ${level === 'none' ? 'calm' : level}`;
  const table = kills.length > 0 ? ['', ...tableLines(COLUMNS, kills.map(cellsOf), width), ''] : [];
  return [
    ...wrapped(
      `${head}; now ${memory(view.memory.availableKib * KIB)} (${percent(view.memory)}); scheme ${policy.scheme as string}`,
      width,
    ),
    ...table,
    ...wrapped(endWords(result), width),
    ...wrapped(`An estimate: ${assumptions.join('; ')}.`, width),
    ...view.notes.flatMap((note) => wrapped(`note: ${note}`, width)),
  ];
}

/** Runs the command. `argv` is what follows its name. */
export async function preview(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('preview', argv);
  if (values.help) return writeLines(commandHelp('preview'));
  refuseOperands('preview', positionals, '--available says how low memory falls');
  const answer = await previewed(values);
  const { view, policy, result } = answer;
  if (values.json) return writeLines([JSON.stringify(previewRecord(view, policy, result))]);
  await writeWords(lines(answer));
}
