/**
 * Stage: none (modules). Whether a WebAssembly module is a plug-in: it imports nothing, so that it can touch nothing; it exports what is
 * asked of it; and its memory and tables have a declared end, which the engine of the runtime keeps.
 */
import { BadnessError } from '../errors.js';
import { regionBytes } from './layout.js';

/** 64 MiB: room for some 500,000 tasks. */
export const MEMORY_PAGES_MOST = 1024;
const TABLE_MOST = 65_536;
/** Exports, and what JavaScript calls their kind. */
const EXPORTS = { memory: 'memory', abi_version: 'function', reserve: 'function', score_batch: 'function' } as const;

export interface PluginExports {
  readonly memory: WebAssembly.Memory;
  abi_version(): number;
  reserve(tasks: number): number;
  score_batch(tasks: number): number;
}

function refuse(words: string): never {
  throw new BadnessError('EPLUGIN', words);
}

/** Reads a binary that WebAssembly.Module has taken, so nothing in it is out of place. */
class Sections {
  readonly #bytes: Uint8Array;
  #at = 8;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Goes to the first entry of a section; the number of its entries, 0 without one. */
  enter(id: number): number {
    this.#at = 8;
    while (this.#at < this.#bytes.length) {
      const found = this.#bytes[this.#at++]!;
      const size = this.number();
      if (found === id) return this.number();
      this.#at += size;
    }
    return 0;
  }

  /** LEB128, unsigned. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
}

const FUNCREF = 0x70;
const HAS_MOST = 1;
const SHARED = 2;
const WIDE = 4;

function checkLimits(sections: Sections, what: string, most: number): void {
  const flags = sections.number();
  sections.number();
  if ((flags & SHARED) !== 0) refuse(`${what} must not be shared`);
  if ((flags & WIDE) !== 0) refuse(`${what} must have 32-bit addresses`);
  if ((flags & HAS_MOST) === 0) refuse(`${what} must have a declared maximum of at most ${most}, got none`);
  const declared = sections.number();
  if (declared > most) refuse(`${what} must have a declared maximum of at most ${most}, got ${declared}`);
}

/** Compiles a module. Throws BadnessError `EPLUGIN`, by name, for what is no plug-in. */
export function compilePlugin(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (error) {
    return refuse(`is no WebAssembly module: ${(error as Error).message}`);
  }
  const imported = WebAssembly.Module.imports(module).map(({ module: from, name }) => `${from}.${name}`);
  if (imported.length > 0) refuse(`must import nothing, got ${imported.slice(0, 5).join(', ')}`);
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  for (const [name, kind] of Object.entries(EXPORTS)) {
    if (exported.get(name) !== kind) refuse(`must export the ${kind} ${name}, got ${exported.get(name) ?? 'none'}`);
  }
  const sections = new Sections(bytes);
  const memories = sections.enter(5);
  if (memories !== 1) refuse(`must have one memory, got ${memories}`);
  checkLimits(sections, 'the memory (in pages of 64 KiB)', MEMORY_PAGES_MOST);
  const tables = sections.enter(4);
  if (tables > 1) refuse(`must have at most one table, got ${tables}`);
  if (tables === 1) {
    // The type of its elements comes first; others than this are spelled in more ways than are read here.
    if (sections.number() !== FUNCREF) refuse('the table must be one of functions');
    checkLimits(sections, 'the table', TABLE_MOST);
  }
  return module;
}

/** Where the module wants the region of n tasks. Throws BadnessError `EPLUGIN` for no place in its memory. */
export function reserved(plugin: PluginExports, tasks: number): number {
  const address: unknown = plugin.reserve(tasks);
  if (typeof address !== 'number') return refuse(`reserve must answer an i32, got ${typeof address}`);
  const at = address >>> 0;
  if (at === 0) refuse(`reserve has no room for ${tasks} tasks`);
  if (at % 8 !== 0) refuse(`reserve must answer a multiple of 8, got ${at}`);
  const { byteLength } = plugin.memory.buffer;
  if (at + regionBytes(tasks) > byteLength) {
    refuse(`reserve answered ${at} for ${tasks} tasks (${regionBytes(tasks)} bytes), its memory ends at ${byteLength}`);
  }
  return at;
}
