/** Stage: none (files). Who takes part in a simulation: policies by file, schemes by name, and the kernel alone. */
import { SCHEMES } from '../index.js';
import { definePolicy, type Policy } from '../policy/index.js';
import { type Contender, notPlayed, parseScenario, type Scenario } from '../simulate/index.js';
import { schemeNamed } from './arguments.js';
import { CommandError, EXIT } from './exit.js';
import { openPolicyFile } from './policy.js';
import { readTextFile, wellFormed } from './text-file.js';

/** Reads a scenario; what is wrong in it goes to standard error, a line each. */
export function openScenario(path: string): Promise<Scenario> {
  return wellFormed(path, async () => parseScenario(readTextFile(path, 'a scenario file'), path));
}

/** The policy of a file that a machine is guarded by; what of it cannot be played is said. */
export async function playablePolicy(path: string): Promise<Policy> {
  const { policies } = await openPolicyFile(path);
  const policy = policies.find(({ domain }) => domain === 'system' || domain === 'auto') ?? policies[0]!;
  if (typeof policy.scheme !== 'string') {
    throw new CommandError(EXIT.badPolicy, `${path}: a scheme from a module cannot be simulated; name a built-in one`);
  }
  for (const words of notPlayed(policy)) process.stderr.write(`badness: ${path}: not simulated: ${words}\n`);
  return policy;
}

function schemeContender(name: string): Contender {
  return { name: `scheme ${name}`, policy: definePolicy({ scheme: schemeNamed(name) }) };
}

/** The kernel alone, then what was asked for; without anything the default policy. */
export async function contendersOf(files: readonly string[], schemes: readonly string[]): Promise<Contender[]> {
  const contenders: Contender[] = [{ name: 'no guard', policy: null }];
  for (const path of files) contenders.push({ name: path, policy: await playablePolicy(path) });
  for (const name of schemes.flatMap((one) => (one === 'all' ? SCHEMES : [one])))
    contenders.push(schemeContender(name));
  if (contenders.length === 1) contenders.push({ name: 'default policy', policy: definePolicy() });
  return contenders;
}
