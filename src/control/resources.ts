/** Stage: report. What can be asked for: a path, and what each method does there. */
import type { ServerResponse } from 'node:http';
import { BadnessError } from '../errors.js';
import type { Answer } from './answer.js';
import type { Peer } from './peer.js';

/** One request, whole. */
export interface Asked {
  /** What the groups of the path's pattern stand for. */
  readonly parameters: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** Who asks; null when the kernel does not tell, or was not asked to. */
  readonly peer: Peer | null;
  /** For whoever answers a little at a time. */
  readonly response: ServerResponse;
}

/** Null: the response is taken over. */
type Answering = (asked: Asked) => Answer | null | Promise<Answer | null>;

export interface Resource {
  /** As it is shown: `/PID/oom`. */
  readonly name: string;
  /** Of the whole path. */
  readonly path: RegExp;
  /** Errors are told as text. */
  readonly text?: boolean;
  /** Everybody whom the socket lets in may ask for it, whoever else is. */
  readonly open?: boolean;
  readonly methods: Readonly<Record<string, Answering>>;
}

/** The resource of a path, with its parameters. */
export function findResource(
  resources: readonly Resource[],
  path: string,
): { resource: Resource; parameters: string[] } | null {
  for (const resource of resources) {
    const match = resource.path.exec(path);
    if (match) return { resource, parameters: match.slice(1) };
  }
  return null;
}

/** An integer of the query, or what stands for it when it is not given. Throws BadnessError `EINVAL`. */
export function queryInteger(
  query: URLSearchParams,
  key: string,
  low: number,
  high: number,
  otherwise: number,
): number {
  const text = query.get(key);
  if (text === null) return otherwise;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new BadnessError('EINVAL', `${key} must be an integer ${low}..${high}, got ${JSON.stringify(text)}`);
}

/** One of some words of the query. Throws BadnessError `EINVAL`. */
export function queryWord<T extends string>(query: URLSearchParams, key: string, words: readonly T[], otherwise: T): T {
  const text = query.get(key);
  if (text === null) return otherwise;
  const word = words.find((one) => one === text);
  if (word !== undefined) return word;
  throw new BadnessError('EINVAL', `${key} must be one of ${words.join(', ')}, got ${JSON.stringify(text)}`);
}
