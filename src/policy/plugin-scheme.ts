/** Stage: points. A scheme of a user's own, as data: where its code is, how long it may take, and which scheme decides when it cannot. */
import { SCHEMES, type SchemeName } from '../schemes.js';
import { type Check, integer, object, oneOf, text } from './checks.js';

interface PluginBounds {
  /** The scheme that says who may be chosen and how ties fall, and gives the points when the plug-in does not. Default `badness`. */
  readonly fallback: SchemeName;
  /** Longest wait for its answer, ms, 1 … 1,000. Default 50. */
  readonly deadlineMs: number;
}

/** A JavaScript module, by an absolute URL, and the name of an export. */
export interface ModuleScheme extends PluginBounds {
  readonly module: string;
  readonly export: string;
}

/** A WebAssembly module, by an absolute path. */
export interface WasmScheme extends PluginBounds {
  readonly wasm: string;
}

/** A scheme of a user's own: a module of JavaScript, or of WebAssembly. */
export type PluginSpec = ModuleScheme | WasmScheme;

const bounds = { fallback: [oneOf(SCHEMES), 'badness'], deadlineMs: [integer(1, 1000), 50] } as const;

/** Where a module is and what of it. */
export const moduleShape = {
  module: [text(/^[A-Za-z][A-Za-z\d+.-]+:\S+$/, `an absolute URL such as 'file:///etc/badness/own.js'`)],
  export: [text(/^[\p{L}_$][\p{L}\p{N}_$]*$/u, 'the name of an export')],
} as const;

export const moduleScheme: Check<PluginSpec> = object<ModuleScheme>({ ...moduleShape, ...bounds });
export const wasmScheme: Check<PluginSpec> = object<WasmScheme>({
  wasm: [text(/^\/[^\0]*$/, `an absolute path such as '/etc/badness/own.wasm'`)],
  ...bounds,
});

/** The scheme of the engine's that a policy's scheme is, or falls back to. */
export function builtInScheme(scheme: SchemeName | PluginSpec): SchemeName {
  return typeof scheme === 'string' ? scheme : scheme.fallback;
}

/** The scheme of a policy where nobody can ask a plug-in. Throws TypeError for one. */
export function namedScheme({ scheme }: { readonly scheme: SchemeName | PluginSpec }): SchemeName {
  if (typeof scheme === 'string') return scheme;
  throw new TypeError('policy.scheme: a module needs a guard, which has workers');
}

/** What a plug-in is called in reports. */
export function pluginName(spec: PluginSpec): string {
  return 'wasm' in spec ? spec.wasm : `${spec.module}#${spec.export}`;
}
