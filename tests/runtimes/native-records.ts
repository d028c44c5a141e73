/** Decision records of the engine as wasm2c and a C compiler make it: `native-records FOLDER`, with BADNESS_NATIVE_ENGINE as the tests have it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine, type EngineAbi } from '../../src/engine.js';
import { releaseBuilds } from '../src/support/builds.js';
import { type RecordAsk, recordsOf } from './records.js';

const TASKS_MAX = 256;

const asks = JSON.parse(readFileSync(join(process.argv[2]!, 'asks.json'), 'utf8')) as RecordAsk[];
const { abi, memory } = releaseBuilds.find(({ name }) => name === 'native')!.open(TASKS_MAX);
const engine = new Engine(abi as unknown as EngineAbi, 'baseline', memory, TASKS_MAX, 0);
console.log(JSON.stringify({ records: { native: recordsOf(engine, asks) } }));
// The process of the engine ends with the pipes.
process.exit();
