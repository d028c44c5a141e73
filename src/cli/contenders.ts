/** Stage: none (files). Who takes part in a simulation: policies by file, schemes by name, and the kernel alone. */
import { SCHEMES } from '../index.js';
import { definePolicy, type Policy } from '../policy/index.js';
import { type Contender, notPlayed, parseScenario, type Scenario } from '../simulate/index.js';
import { schemeNamed } from './arguments.js';
import { say } from './output.js';
import { machinePolicyIn } from './policy.js';
import { readTextFile, wellFormed } from './text-file.js';

/** Reads a scenario; what is wrong in it goes to standard error, a line each. */
export function openScenario(path: string): Promise<Scenario> {
  return wellFormed(path, async () => parseScenario(readTextFile(path, 'a scenario file'), path));
}

/** As machinePolicyIn; what of it cannot be played is said. */
export async function playablePolicy(path: string): Promise<Policy> {
  const policy = await machinePolicyIn(path, 'cannot be simulated');
  for (const words of notPlayed(policy)) say(`${path}: not simulated: ${words}`);
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
