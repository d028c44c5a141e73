/**
 * Stage: report. Files of an agent: segments of its spool, and what it has seen of policies. A line is written by one call, so that a
 * process that is killed leaves whole lines and at most one cut off. They are not flushed to the disk: a machine that loses power may lose the last seconds.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BadnessError } from '../../errors.js';
import type { AgentMemory } from '../fleet-guard.js';
import type { FleetPolicy, Sequences } from '../policy-keeper.js';
import type { SpoolStore } from '../spool.js';

const NAME = /^(\d{8,15})\.spool$/;

/** Nothing for a file that is not there. */
function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Half a line, of a disk that is full, would damage the next one too. */
function appendWhole(path: string, line: string): void {
  const file = openSync(path, 'a', 0o600);
  try {
    const { size } = fstatSync(file);
    try {
      writeFileSync(file, line);
    } catch (error) {
      ftruncateSync(file, size);
      throw error;
    }
  } finally {
    closeSync(file);
  }
}

/** Throws errno names when the folder cannot be made. */
export function diskStore(folder: string): SpoolStore {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = (segment: number) => join(folder, `${String(segment).padStart(8, '0')}.spool`);
  return {
    numbers: () =>
      readdirSync(folder)
        .flatMap((name) => NAME.exec(name)?.[1] ?? [])
        .map(Number)
        .sort((a, b) => a - b),
    read: (segment) => readIfThere(path(segment)) ?? '',
    append: (segment, line) => appendWhole(path(segment), line),
    remove: (segment) => rmSync(path(segment), { force: true }),
  };
}

/** Of a process that keeps nothing. */
export function memoryStore(): SpoolStore {
  const segments = new Map<number, string>();
  return {
    numbers: () => [...segments.keys()].sort((a, b) => a - b),
    read: (segment) => segments.get(segment) ?? '',
    append: (segment, line) => void segments.set(segment, (segments.get(segment) ?? '') + line),
    remove: (segment) => void segments.delete(segment),
  };
}

/** What is kept of policies. */
export interface KeptStanding {
  readonly sequences: Sequences;
  /** The policy of the fleet that was in force last; null for none. */
  readonly inForce: (FleetPolicy & { readonly notes: readonly string[] }) | null;
  /** When it was taken, ms since 1970. */
  readonly takenMs: number;
}

const STANDING = 'standing.json';
const NOTHING: KeptStanding = { sequences: {}, inForce: null, takenMs: 0 };

/** Nothing where there is no file. Throws BadnessError `ESTANDING` for one that is damaged: forgetting would let old policies in. */
export function readStanding(folder: string): KeptStanding {
  const text = readIfThere(join(folder, STANDING));
  if (text === null) return NOTHING;
  try {
    return { ...NOTHING, ...(JSON.parse(text) as Partial<KeptStanding>) };
  } catch (cause) {
    const words = `${join(folder, STANDING)} is damaged; once it is removed, policies older than the last one could be taken again`;
    throw new BadnessError('ESTANDING', words, { cause });
  }
}

/** What an agent remembers, in a file of its folder. `load` throws BadnessError `ESTANDING`; errno names. */
export function diskMemory(folder: string, wallMs: () => number = Date.now): AgentMemory {
  return {
    load: () => readStanding(folder).sequences,
    save(sequences, inForce) {
      const kept: KeptStanding = { sequences, inForce, takenMs: wallMs() };
      const path = join(folder, STANDING);
      const file = openSync(`${path}.new`, 'w', 0o600);
      try {
        writeFileSync(file, `${JSON.stringify(kept)}\n`);
        // Else a machine that loses power may find it empty, and its agent would not begin.
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(`${path}.new`, path);
    },
  };
}
