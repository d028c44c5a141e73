/** Stage: points → selection. What a command ranks by besides a scheme of the engine's: a policy file with its rules, or a plug-in. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Engine, SchemeName, ScoreOptions } from '../index.js';
import { openPluginScheme, openRules } from '../linux/index.js';
import {
  builtInScheme,
  compileRules,
  definePolicy,
  everyRule,
  NO_TEXTS,
  type PluginReport,
  type PluginSpec,
  type Policy,
  type RankedBy,
  RowRules,
  type Rule,
} from '../policy/index.js';
import type { RecordedFiles } from '../recording/index.js';
import { schemeNamed, scoreOptions, usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';
import type { Values } from './options.js';
import { isMachines, openPolicyFile } from './policy.js';

/** Nobody waits for a command as a kill would. */
const PATIENT_MS = 1000;

/** What is asked for, before there are tasks. */
export interface Lens {
  /** As far as the command line or the policy says. */
  readonly scoring: ScoreOptions;
  readonly rules: readonly Rule[];
  readonly plugin: PluginSpec | null;
}

/** A scheme by its name, or a plug-in: `./own.wasm`, `./own.mjs#points`. Throws as schemeNamed. */
export function schemeOrPlugin(text: string): SchemeName | PluginSpec {
  const bounds = { fallback: 'badness', deadlineMs: 50 } as const;
  if (text.endsWith('.wasm')) return { wasm: resolve(text), ...bounds };
  const [, path, name] = /^(.+\.m?js)#(.+)$/s.exec(text) ?? [];
  if (/\.m?js$/.test(text)) throw usage(`--scheme: a module goes with the name of its export, such as ${text}#points`);
  if (path === undefined || name === undefined) return schemeNamed(text);
  return checkedPlugin({ module: pathToFileURL(resolve(path)).href, export: name, ...bounds });
}

function checkedPlugin(scheme: PluginSpec): PluginSpec {
  try {
    return definePolicy({ scheme }).scheme as PluginSpec;
  } catch (error) {
    throw usage(`--scheme: ${(error as Error).message}`);
  }
}

/** The policy of the system in a file. */
export async function systemPolicyIn(path: string): Promise<Policy> {
  const { policies } = await openPolicyFile(path);
  const ours = policies.find(isMachines);
  if (!ours) throw usage(`--policy: expected one of domain system or auto in ${path}, got none`);
  return ours;
}

export async function readLens(values: Values): Promise<Lens> {
  const policy = values.policy === undefined ? null : await systemPolicyIn(values.policy);
  const { scheme: named } = values;
  const scheme = named === undefined ? policy?.scheme : schemeOrPlugin(named);
  return {
    scoring: {
      ...policy?.parameters,
      ...scoreOptions(values),
      ...(scheme === undefined ? {} : { scheme: builtInScheme(scheme) }),
    },
    rules: policy ? everyRule(policy) : [],
    plugin: scheme === undefined || typeof scheme === 'string' ? null : scheme,
  };
}

/** `files`: where /proc is, or a recording of it; tasks of a file have no other files. */
export async function openLens(
  lens: Lens,
  engine: Engine,
  files: string | RecordedFiles | undefined,
): Promise<RankedBy> {
  return { rules: await openRowRules(lens, engine, files), plugin: await openPlugin(lens, engine) };
}

async function openRowRules(
  { rules }: Lens,
  engine: Engine,
  files: string | RecordedFiles | undefined,
): Promise<RowRules | null> {
  if (rules.length === 0) return null;
  if (typeof files === 'string') return (await openRules(engine, rules, { root: files })).rules;
  const compiled = await compileRules(rules);
  if (files === undefined) return new RowRules(engine, compiled, NO_TEXTS);
  const { recordedTexts } = await import('../recording/index.js');
  return new RowRules(engine, compiled, recordedTexts(files));
}

async function openPlugin({ plugin: spec }: Lens, engine: Engine) {
  if (spec === null) return null;
  return openPluginScheme({ spec: { ...spec, deadlineMs: PATIENT_MS }, tasks: engine.capacity });
}

/** Whoever asks for a plug-in by a command wants its points, or to hear why there are none. */
export function checkAnswered(report: PluginReport | null): void {
  if (report === null || report.answered) return;
  throw new CommandError(EXIT.badPlugin, `plug-in ${report.name}: ${report.reason}`);
}
