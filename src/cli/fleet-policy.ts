/** Stage: none (settings). `badness fleet policy`: puts policies of a fleet, rolls them out and back, and says who has which. */
import type { FleetPolicies, KeptPolicy, PolicyTarget } from '../fleet/index.js';
import { choice, integer, usage } from './arguments.js';
import { signingKey, withFleet } from './fleet-connection.js';
import { statusLines } from './fleet-words.js';
import { lineDiff } from './line-diff.js';
import { harmless } from './names.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';
import { openPolicyFile } from './policy.js';
import { readTextFile } from './text-file.js';

interface Ask {
  readonly policies: FleetPolicies;
  readonly target: PolicyTarget;
  readonly operands: readonly string[];
  readonly values: Values;
}

const WITH_TARGET = {
  put: { run: put, least: 1, most: 1 },
  get: { run: get, least: 0, most: 1 },
  diff: { run: diff, least: 1, most: 1 },
  rollout: { run: rollout, least: 0, most: 1 },
  shadow: { run: shadow, least: 1, most: 1 },
  withdraw: { run: withdraw, least: 0, most: 0 },
  rollback: { run: rollback, least: 1, most: 1 },
} as const;
const WORDS = [...(Object.keys(WITH_TARGET) as (keyof typeof WITH_TARGET)[]), 'status'] as const;

/** What is wrong in the file is said here, line by line, before anything is sent. */
async function policyText(path: string): Promise<string> {
  await openPolicyFile(path);
  return readTextFile(path, 'a policy file');
}

const REVISION = /^[1-9]\d{0,14}$/;

function revisionOf(text: string): number {
  if (!REVISION.test(text)) throw usage(`expected a revision such as 12, got ${JSON.stringify(text)}`);
  return Number(text);
}

function changed({ key, revision, statement }: KeptPolicy, { json }: Values): string[] {
  const { next } = statement;
  const step = next === null ? '' : `; on its way out: ${stepWords(next)}`;
  return [json ? JSON.stringify({ key, revision, statement }) : `${key}: revision ${revision}${step}`];
}

function stepWords({ labels, percent }: { readonly labels: readonly string[]; readonly percent: number }): string {
  const named = labels.length > 0 ? `labels ${labels.join(', ')}` : '';
  return [named, `${percent} %`].filter((words) => words !== '').join(' and ');
}

async function put({ policies, target, operands: [path], values }: Ask): Promise<string[]> {
  return changed(await policies.change(target, { policy: await policyText(path!), next: null }), values);
}

async function withdraw({ policies, target, values }: Ask): Promise<string[]> {
  return changed(await policies.change(target, { policy: null, next: null, shadow: null }), values);
}

async function shadow({ policies, target, operands: [path], values }: Ask): Promise<string[]> {
  return changed(await policies.change(target, { shadow: path === 'none' ? null : await policyText(path!) }), values);
}

async function rollback({ policies, target, operands: [revision], values }: Ask): Promise<string[]> {
  return changed(await policies.rollback(target, revisionOf(revision!)), values);
}

async function rollout({ policies, target, operands: [path], values }: Ask): Promise<string[]> {
  const { label = [], percent = '0', complete, stop } = values;
  const isStep = label.length > 0 || values.percent !== undefined;
  if ([isStep, complete, stop].filter(Boolean).length !== 1) {
    throw usage('fleet policy rollout: expected --label and --percent, or --complete, or --stop');
  }
  if (!isStep && path !== undefined)
    throw usage(`fleet policy rollout: no FILE goes with --complete and --stop, got ${path}`);
  if (stop) return changed(await policies.change(target, { next: null }), values);
  if (complete) return changed(await policies.complete(target), values);
  const step = { labels: label, percent: integer('--percent', percent, 0, 100) };
  return changed(await policies.rollout(target, step, path === undefined ? undefined : await policyText(path)), values);
}

async function kept({ policies, target }: Ask, revision: string | undefined): Promise<KeptPolicy> {
  if (revision !== undefined) return policies.at(target, revisionOf(revision));
  const found = await policies.get(target);
  if (found) return found;
  throw usage('fleet policy: no policy stands there; badness fleet policy put is how one comes there');
}

async function get(ask: Ask): Promise<string[]> {
  const { key, revision, statement } = await kept(ask, ask.operands[0]);
  if (ask.values.json) return [JSON.stringify({ key, revision, statement })];
  const { policy, next, shadow: beside, signedMs } = statement;
  const notes = [
    `# ${key}, revision ${revision}, signed ${new Date(signedMs).toISOString()}`,
    ...(next ? [`# on its way out: another, ${stepWords(next)} (--json has it)`] : []),
    ...(beside === null ? [] : ['# a shadow policy is evaluated beside it (--json has it)']),
  ];
  return [...notes, ...(policy === null ? ['# withdrawn'] : policy.trimEnd().split('\n'))];
}

async function diff(ask: Ask): Promise<string[]> {
  const [other] = ask.operands;
  const now = (await kept(ask, undefined)).statement.policy ?? '';
  if (REVISION.test(other!)) return lineDiff((await kept(ask, other)).statement.policy ?? '', now);
  return lineDiff(now, await policyText(other!));
}

/** Whoever is not asked for a key may show what nobody has signed; what goes into a file stays as it is. */
const shown = (lines: string[]) => (process.stdout.isTTY ? lines.map(harmless) : lines);

/** Runs the words after `fleet policy`. */
export async function fleetPolicy([word, named, ...operands]: readonly string[], values: Values): Promise<void> {
  const { parseTarget } = await import('../fleet/index.js');
  const action = choice('fleet policy', word ?? '', WORDS);
  if (action === 'status') {
    if (named !== undefined) throw usage(`fleet policy status: nothing may follow, got ${JSON.stringify(named)}`);
    const states = await withFleet(values, async (fleet) => (await fleet.policies()).states());
    return writeLines(values.json ? states.map((state) => JSON.stringify(state)) : statusLines(states, Date.now()));
  }
  const { run, least, most } = WITH_TARGET[action];
  if (named === undefined || operands.length < least || operands.length > most) {
    throw usage(`fleet policy ${action}: wrong number of words; see badness fleet --help`);
  }
  const target = targetNamed(parseTarget, named);
  await withFleet(values, async (fleet) => {
    const policies = await fleet.policies(signingKey(values));
    const lines = await run({ policies, target, operands, values });
    await writeLines(values.json ? lines : shown(lines));
  });
}

function targetNamed(parse: (text: string) => PolicyTarget, text: string): PolicyTarget {
  try {
    return parse(text);
  } catch (error) {
    throw usage((error as Error).message);
  }
}
