/** Stage: none (files). `badness policy`: checks a policy file, shows what it comes to, prints the schema for editors. */
import { readFileSync } from 'node:fs';
import { loadPolicyFile } from '../linux/index.js';
import { type Policy, type PolicyFile, parsePolicy, policyToToml } from '../policy/index.js';
import { firstWord, readArguments, usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';
import { effectiveFile } from './fleet-effective.js';
import { commandHelp } from './help.js';
import { printable } from './names.js';
import type { Values } from './options.js';
import { linesOf, say, writeLines } from './output.js';
import { counted } from './quantities.js';
import { readBytes, wellFormed } from './text-file.js';

const ACTIONS = ['check', 'show', 'schema', 'import-earlyoom'] as const;
const EARLYOOM = '/etc/default/earlyoom';
/** A policy file that leaves everything to the defaults. */
const DEFAULTS = 'version = 1\n';

/** Reads a policy file; what is wrong in it goes to standard error, a line each. */
export function openPolicyFile(path: string): Promise<PolicyFile> {
  return wellFormed(path, () => loadPolicyFile(path));
}

/** Whether a policy guards a machine, and no part of one. */
export function isMachines({ domain }: Policy): boolean {
  return domain === 'system' || domain === 'auto';
}

/** The policy of a file that a machine is guarded by, else its first, by a scheme of the engine. `why` none else is taken. */
export async function machinePolicyIn(path: string, why: string): Promise<Policy> {
  const { policies } = await openPolicyFile(path);
  const policy = policies.find(isMachines) ?? policies[0]!;
  if (typeof policy.scheme === 'string') return policy;
  throw new CommandError(EXIT.badPolicy, `${path}: a scheme from a module ${why}; name a built-in one`);
}

async function check(path: string): Promise<string[]> {
  const { policies } = await openPolicyFile(path);
  const rules = policies.reduce((sum, policy) => sum + policy.rules.length, 0);
  return [`${printable(path)}: good, ${counted(policies.length, 'domain')}, ${counted(rules, 'rule')}`];
}

/** Without a file there are only defaults to be shown. */
async function show(path: string | undefined, { effective = path === undefined }: Values): Promise<string[]> {
  const file = path === undefined ? await parsePolicy(DEFAULTS) : await openPolicyFile(path);
  const { file: shown, words } = effective ? await effectiveFile(file) : { file, words: [] };
  return [...words, ...linesOf(policyToToml(shown, { effective }))];
}

function schema(): string[] {
  return linesOf(readFileSync(new URL('./badness.schema.json', import.meta.url), 'utf8'));
}

/** The policy on standard output; what it does not say on standard error as well, where somebody looks. */
async function importSettings(path = EARLYOOM): Promise<string[]> {
  const settings = readBytes(path, 'the settings of earlyoom').toString('utf8');
  const { importEarlyoom } = await import('./earlyoom.js');
  const { toml, unequal } = await importEarlyoom(settings, path === '-' ? 'standard input' : path);
  for (const sentence of unequal) say(sentence);
  return linesOf(toml);
}

/** Runs the command. `argv` is what follows its name. */
export async function policy(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('policy', argv);
  if (values.help) return writeLines(commandHelp('policy'));
  const [word, path, ...others] = positionals;
  const action = firstWord('policy', word, ACTIONS);
  const [extra] = action === 'schema' && path !== undefined ? [path] : others;
  if (extra !== undefined) throw usage(`policy ${action}: nothing may follow, got ${JSON.stringify(extra)}`);
  if (values.effective && action !== 'show') throw usage(`--effective goes with show, got ${action}`);
  if (action === 'schema') return writeLines(schema());
  if (action === 'import-earlyoom') return writeLines(await importSettings(path));
  if (action === 'show') return writeLines(await show(path, values));
  if (path === undefined) throw usage('policy check: expected a FILE, got nothing; see badness policy --help');
  return writeLines(await check(path));
}
