/** What stands in for node:test where there is none, and so everywhere: the same code collects and runs the tests in every runtime. */

export interface TestResult {
  readonly suite: string;
  readonly name: string;
  /** Null when it passed. */
  readonly error: string | null;
  /** Why it was not run. */
  readonly skipped: string | null;
}

interface Collected {
  readonly suite: string;
  readonly name: string;
  readonly body: (context: { diagnostic(): void }) => unknown;
}

/** Tests that say something about the machine instead of the code. By a part of the name, with the reason. */
const NOT_HERE: readonly [part: string, reason: string][] = [
  ['no choice of pids makes duplicates slow', 'measures time, which browsers do not tell exactly'],
];

const collected: Collected[] = [];
let suite = '';
let path: string[] = [];

/** Loads a file of tests as the suite of that name. */
export async function collect(name: string, load: () => Promise<unknown>): Promise<void> {
  suite = name;
  await load();
}

export function describe(name: string, body: () => void): void {
  path.push(name);
  body();
  path = path.slice(0, -1);
}

export function test(name: string, ...rest: unknown[]): void {
  const body = rest.at(-1) as Collected['body'];
  collected.push({ suite, name: [...path, name].join(': '), body });
}

/** Runs everything that was collected, one after the other. */
export async function runCollected(): Promise<TestResult[]> {
  const results: TestResult[] = [];
  for (const { suite: of, name, body } of collected) {
    const skipped = NOT_HERE.find(([part]) => name.includes(part))?.[1] ?? null;
    results.push({ suite: of, name, skipped, error: skipped === null ? await errorOf(body) : null });
  }
  return results;
}

async function errorOf(body: Collected['body']): Promise<string | null> {
  try {
    await body({ diagnostic: () => {} });
    return null;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
