// A consumer in TypeScript that looks into every declaration of the package.
import { type Engine, openEngine, type Ranking, rankTasks } from 'badness';
import { decide } from 'badness/guard';
import { startGuard } from 'badness/linux';
import { playgroundLink, type Shown } from 'badness/playground';
import { definePolicy, type Policy } from 'badness/policy';
import { TaskRegistry } from 'badness/registered';
import { readKernelLog } from 'badness/report';
import * as workers from 'badness/workers';

const engine: Engine = await openEngine({ maxTasks: 64 });
export const ranking: Ranking = rankTasks(engine);
export const policy: Policy = definePolicy({ domain: 'system' });
export const tasks: number = new TaskRegistry().size;
export const events: number = readKernelLog('').events.length;
export const digest: string = decide(engine).digest;
export const shown: Shown = { scenario: 'fork-bomb' };
export const link: string = await playgroundLink('https://example.org/', shown);
export { startGuard, workers };

// @ts-expect-error: a count is a number
await openEngine({ maxTasks: 'many' });
