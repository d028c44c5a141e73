/** Stage: report. `badness fleet top`, `who-dies` and `decisions`: what whoever keeps a fleet asks all machines, and what they told. */
import type { AskPreview, Gathered } from '../fleet/index.js';
import { threshold } from '../policy/index.js';
import { integer, span, usage } from './arguments.js';
import { decisionLine, silentLines, topLines, whoDiesLines } from './fleet-answers.js';
import { withFleet } from './fleet-connection.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';

const DEADLINE_MOST_MS = 60_000;
const YEAR_MS = 365 * 86_400_000;
const MOST = 100;
const HOST_BYTES_MOST = 255;

function refuse(word: string, [extra]: readonly string[]): void {
  if (extra !== undefined) throw usage(`fleet ${word}: nothing may follow, got ${JSON.stringify(extra)}`);
}

/** Machines that were named, each once. */
function hostsOf({ host = [] }: Values): string[] {
  for (const name of host) {
    const bytes = Buffer.byteLength(name);
    if (bytes === 0 || bytes > HOST_BYTES_MOST) {
      throw usage(`--host must be a name of 1..${HOST_BYTES_MOST} bytes, got ${bytes} bytes`);
    }
  }
  return [...new Set(host)];
}

function whom(values: Values): Pick<AskPreview, 'deadlineMs' | 'hosts'> {
  const { deadline } = values;
  const hosts = hostsOf(values);
  return {
    ...(deadline === undefined ? {} : { deadlineMs: span('--deadline', deadline, 1, DEADLINE_MOST_MS) }),
    ...(hosts.length === 0 ? {} : { hosts }),
  };
}

function checked(option: string, text: string): string {
  try {
    threshold(text, option);
    return text;
  } catch (error) {
    throw usage((error as Error).message);
  }
}

async function answers({ answers: found, silent }: Gathered, json: boolean, lines: string[]): Promise<void> {
  if (!json) return writeLines([...lines, ...silentLines(found.length, silent)]);
  const quiet = silent.map((host) => JSON.stringify({ kind: 'silent', host }));
  await writeLines([...found.map((answer) => JSON.stringify(answer)), ...quiet]);
}

/** Runs `fleet who-dies`. */
export async function fleetWhoDies(operands: readonly string[], values: Values): Promise<void> {
  refuse('who-dies', operands);
  const { available, json = false, count } = values;
  if (available === undefined) throw usage('fleet who-dies: expected --available 5% or --available 512MiB');
  const swapFree = values['swap-free'];
  const ask: AskPreview = {
    ...{ available: checked('--available', available), most: integer('-n', count ?? String(MOST), 1, MOST) },
    ...(swapFree === undefined ? {} : { swapFree: checked('--swap-free', swapFree) }),
    ...whom(values),
  };
  const gathered = await withFleet(values, (fleet) => fleet.whoDies(ask));
  await answers(gathered, json, whoDiesLines(gathered.answers));
}

/** Runs `fleet top`. Who would be next does not depend on how short memory is: it is asked as though there were none. */
export async function fleetTop(operands: readonly string[], values: Values): Promise<void> {
  refuse('top', operands);
  const { byPressure } = await import('../fleet/index.js');
  const gathered = await withFleet(values, (fleet) => fleet.whoDies({ available: '0%', most: 1, ...whom(values) }));
  const sorted = { ...gathered, answers: byPressure(gathered.answers) };
  await answers(sorted, values.json ?? false, topLines(sorted.answers));
}

/** Runs `fleet decisions`. */
export async function fleetDecisions(operands: readonly string[], values: Values): Promise<void> {
  refuse('decisions', operands);
  const { json = false } = values;
  const named = hostsOf(values);
  const hosts = named.length === 0 ? [undefined] : named;
  const since = values.since === undefined ? undefined : Date.now() - span('--since', values.since, 1, YEAR_MS);
  await withFleet(values, async (fleet) => {
    for (const host of hosts) {
      for await (const report of fleet.reports({ kind: 'decision', host, since })) {
        await writeLines([json ? JSON.stringify(report) : decisionLine(report)]);
      }
    }
  });
}
