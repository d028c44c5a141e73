/** Decision records of the engine as wasm2c and a C compiler make it: `native-records FOLDER`, with BADNESS_NATIVE_ENGINE as the tests have it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNativeEngine } from '../src/support/native-engine.js';
import { type RecordAsk, recordsOf } from './records.js';

const TASKS_MAX = 256;

const asks = JSON.parse(readFileSync(join(process.argv[2]!, 'asks.json'), 'utf8')) as RecordAsk[];
const records = { native: await recordsOf(openNativeEngine(TASKS_MAX), asks) };
// The process of the engine ends with the pipes, and this one not before all of it is written.
process.stdout.write(`${JSON.stringify({ records })}\n`, () => process.exit());
