/** Stage: report. What the policies of a user would have done with the table of an event, in words. */
import type { RuleHit } from '../policy/index.js';
import { type AskedPolicy, askPolicy, type PolicyChoice, type Reranking } from '../report/index.js';
import { printable } from './names.js';
import { openPolicyFile } from './policy.js';
import { grouped, memory } from './quantities.js';
import type { Fact } from './report-facts.js';
import { hitLines } from './rule-words.js';
import { named } from './words.js';

/** The policy files of the command line, ready to be asked. Throws as openPolicyFile. */
export async function askedPolicies(paths: readonly string[]): Promise<AskedPolicy[]> {
  const asked: AskedPolicy[] = [];
  for (const path of paths) asked.push(await askPolicy(path, await openPolicyFile(path)));
  return asked;
}

function hitWords(hits: readonly RuleHit[] = []): string[] {
  return hits.flatMap((hit) => (hit.rule === 0 ? ['by its list never'] : hitLines([hit])));
}

const NOT_CHOSEN: Record<Exclude<PolicyChoice['outcome'], 'victim'>, string> = {
  'no-victim': 'would have chosen nobody',
  'in-flight': 'would have waited for a task that is dying',
  'no-domain': 'is of other domains than the one that was short, and would have done nothing',
  'no-table': 'cannot be asked: there is no table',
  'not-told': 'cannot be asked: its scheme counts sessions, which no report has',
};

function whomWords({ outcome, victim, same }: PolicyChoice, { page }: Reranking): string {
  if (outcome !== 'victim') return NOT_CHOSEN[outcome];
  const { points, chargePages } = victim!;
  const facts = [
    `would have chosen ${named(victim!)}`,
    `${grouped(points ?? 0)} points`,
    `gives back ${memory(chargePages * page.pageSize)}`,
  ];
  return `${facts.join(', ')}${same ? ', as the kernel did' : ''}`;
}

/** How the one whom the kernel chose comes off, where the policy would have spared it. */
function kernelsWords({ kernels, same, outcome }: PolicyChoice): string[] {
  if (!kernels || same || (outcome !== 'victim' && outcome !== 'no-victim')) return [];
  const { points, reason, rules } = kernels;
  const worth = points === null ? `may not be chosen (${reason})` : `has ${grouped(points)} points`;
  return [[`the kernel's ${named(kernels)} ${worth}`, ...hitWords(rules)].join('; ')];
}

function unknownWords({ unknown, missing, plugin, settled }: PolicyChoice): string[] {
  const rules = unknown.map(({ rule, conditions }) => `${conditions.join(', ')} of rule ${rule}`);
  const said: string[] = [];
  if (rules.length > 0) said.push(`not told by the log, and counted in favour of the task: ${rules.join('; ')}`);
  if (missing.length > 0) said.push(`its scheme reckons without ${missing.join(', ')}`);
  if (plugin !== null) said.push(`its plug-in ${printable(plugin)} is not asked: the fallback counts`);
  if (!settled) said.push('it depends on a total that is not known');
  return said;
}

/** The lines of one policy; those after the first have no label. */
function policyFacts(choice: PolicyChoice, reranking: Reranking): Fact[] {
  const { file, domain, scheme, victim } = choice;
  const name = domain === null ? printable(file) : `${printable(file)} (${printable(domain)}, ${scheme})`;
  const lines = [
    `${name} ${whomWords(choice, reranking)}`,
    ...hitWords(victim?.rules),
    ...kernelsWords(choice),
    ...unknownWords(choice),
  ];
  return lines.map((text, index) => ({ label: index === 0 ? 'policy' : '', text }));
}

/** What each policy would have done, in their order. */
export function policiesFacts(choices: readonly PolicyChoice[], reranking: Reranking): Fact[] {
  return choices.flatMap((choice) => policyFacts(choice, reranking));
}
