/** Stage: report. `badness guard --replay`: what a guard would have done, said as it would have said it. */
import { guardEventToJson } from '../guard/index.js';
import { definePolicy, type Policy, pluginName } from '../policy/index.js';
import {
  domainName,
  momentsOf,
  policyRecorded,
  type Recording,
  type ReplayedEvent,
  replayGuard,
  withoutPlugin,
} from '../recording/index.js';
import { usage } from './arguments.js';
import { type GuardRequest, guardRequest } from './guard-options.js';
import { eventLines, policyLines } from './guard-words.js';
import { version } from './help.js';
import type { Values } from './options.js';
import { say, writeLines, writeWords } from './output.js';
import { counted, sinceStart } from './quantities.js';
import { readRecordingFile } from './recording-file.js';

/** What asks a running machine, and no recording. */
const LIVE_ONLY = [
  'enforce',
  'domain',
  'control',
  'control-group',
  'control-self',
  'before',
  'after',
  'native',
  'decisions',
  'report',
] as const;

/** Options that say something about the policy: without them the one that goes with the recording counts. */
const OF_POLICY = [
  ...(['policy', 'memory', 'swap', 'memory-kib', 'swap-kib', 'scheme', 'max-discount', 'age', 'adj'] as const),
  ...(['ignore', 'avoid', 'prefer'] as const),
];

/** Only a guard that runs asks a plug-in; elsewhere its fallback counts, and that is said. */
export function withoutPluginSaid(policy: Policy): Policy {
  const { scheme } = policy;
  if (typeof scheme !== 'string')
    say(`plug-in ${pluginName(scheme)} is not asked here: scheme ${scheme.fallback} counts`);
  return withoutPlugin(policy);
}

/** The policy that the command line says, else the one that goes with the recording. */
export async function policyReplayed(values: Values, request: GuardRequest, recording: Recording): Promise<Policy> {
  if (OF_POLICY.some((option) => values[option] !== undefined)) return withoutPluginSaid(request.policy);
  return (await policyRecorded(recording)) ?? definePolicy();
}

function jsonLine({ event, snapshot, decision }: ReplayedEvent): string {
  const record = { ...guardEventToJson(event), snapshot: snapshot + 1 };
  return JSON.stringify(decision ? { ...record, digest: decision.digest } : record);
}

function wordLines({ event, machine }: ReplayedEvent, policy: Policy, firstMs: number): string[] {
  return eventLines(event, policy, machine).map(({ text }) => `${sinceStart(event.atMs - firstMs)} ${text}`);
}

/** Runs it. Nobody is signalled, and the time that the recording took is not waited for. */
export async function guardReplay(values: Values): Promise<void> {
  const request = await guardRequest(values);
  const other = LIVE_ONLY.find((option) => values[option] !== undefined);
  if (other) throw usage(`--${other} is for a running machine; a recording cannot be changed`);
  const recording = await readRecordingFile(values.replay!);
  const policy = await policyReplayed(values, request, recording);
  const { events, memory } = await replayGuard(recording, { policy });
  const { snapshots } = recording;
  const lastMs = momentsOf(recording).at(-1)!;
  const domain = domainName(recording);
  if (values.json) {
    const start = {
      kind: 'start',
      version: version(),
      replay: values.replay!,
      domain,
      memory,
      snapshots: snapshots.length,
    };
    await writeLines([JSON.stringify(start), ...events.map(jsonLine)]);
    return;
  }
  const span = `${counted(snapshots.length, 'snapshot')} over ${(lastMs / 1000).toFixed(1)} s`;
  await writeWords([
    `badness ${version()} replays ${values.replay}: ${span} of ${domain}; ${memory}`,
    ...policyLines(policy),
    ...events.flatMap((event) => wordLines(event, policy, snapshots[0]!.monotonicMs)),
    events.some(({ event }) => event.kind === 'round')
      ? 'a dry run: nobody was signalled'
      : 'nobody would have been killed',
  ]);
}
