/**
 * Stage: points. The thread of a plug-in, which may be killed at any moment: loads it, checks it, and answers one question after the
 * other. It waits without an event loop, so that nothing that a module began goes on between two questions.
 */
import { workerData } from 'node:worker_threads';
import { compilePlugin, type PluginExports, reserved } from '../plugin/check-wasm.js';
import { HEADER_BYTES, PLUGIN_ABI, regionBytes } from '../plugin/layout.js';
import { askOfEach, type PointsFunction } from '../plugin/task-function.js';
import {
  ANSWERED,
  ASKED,
  type Exchange,
  openExchange,
  type PluginCode,
  type PluginThreadData,
  READY,
  REFUSED,
  REGION_AT,
  STATE,
  TASKS,
  WRONG,
} from './plugin-exchange.js';

/** Answers for n tasks in the region of the exchange. */
type Answer = (n: number) => void;

// A module can change what these names mean, but not what they meant before it was loaded.
const { load, store, notify, wait } = Atomics;
const Bytes = Uint8Array;
const encoder = new TextEncoder();
const encodeInto = encoder.encodeInto.bind(encoder);
/** `copy(to, from)`, whatever becomes of the method. */
const copy: (to: Uint8Array, from: Uint8Array) => void = Function.prototype.call.bind(Bytes.prototype.set);

function wasmAnswer(bytes: Uint8Array<ArrayBuffer>, { buffer }: Exchange): Answer {
  const { exports } = new WebAssembly.Instance(compilePlugin(bytes), {});
  const plugin = exports as unknown as PluginExports;
  const version: unknown = plugin.abi_version();
  if (version !== PLUGIN_ABI) throw new Error(`must answer abi_version with ${PLUGIN_ABI}, got ${String(version)}`);
  reserved(plugin, 1);
  return (n) => {
    const at = reserved(plugin, n);
    copy(new Bytes(plugin.memory.buffer, at), new Bytes(buffer, REGION_AT, regionBytes(n)));
    const code: unknown = plugin.score_batch(n);
    if (code !== 0) throw new Error(`score_batch answered ${String(code)} instead of 0`);
    // It may have grown, and so have moved.
    const points = new Bytes(plugin.memory.buffer, at + HEADER_BYTES, n * 8);
    copy(new Bytes(buffer, REGION_AT + HEADER_BYTES, n * 8), points);
  };
}

async function functionAnswer(module: string, name: string, { buffer }: Exchange): Promise<Answer> {
  const exports = (await import(module)) as Record<string, unknown>;
  const points = Object.hasOwn(exports, name) ? exports[name] : undefined;
  if (typeof points !== 'function') {
    const there = Object.keys(exports).slice(0, 5).join(', ') || 'nothing';
    throw new Error(`must export the function ${name}, exports ${there}`);
  }
  return (n) => {
    // A copy: what the function is given is not what is shared.
    const region = new ArrayBuffer(regionBytes(n));
    copy(new Bytes(region), new Bytes(buffer, REGION_AT, regionBytes(n)));
    askOfEach(points as PointsFunction, n, region);
    copy(new Bytes(buffer, REGION_AT + HEADER_BYTES, n * 8), new Bytes(region, HEADER_BYTES, n * 8));
  };
}

function answerOf(code: PluginCode, exchange: Exchange): Answer | Promise<Answer> {
  return 'bytes' in code ? wasmAnswer(code.bytes, exchange) : functionAnswer(code.module, code.export, exchange);
}

function sayWrong({ words, text }: Exchange, thrown: unknown): void {
  let said = 'threw what cannot be told';
  try {
    said = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    // Whatever it threw, it is not worth another error.
  }
  store(words, WRONG, encodeInto(said || 'threw', text).written);
}

/** Whatever a module prints: nobody reads it, and it would pile up. */
function dropPrints(): void {
  for (const stream of [process.stdout, process.stderr]) stream.write = () => true;
}

async function start({ code, buffer }: PluginThreadData): Promise<void> {
  dropPrints();
  const exchange = openExchange(buffer!);
  const { words } = exchange;
  let answer: Answer;
  try {
    answer = await answerOf(code, exchange);
  } catch (error) {
    sayWrong(exchange, error);
    store(words, STATE, REFUSED);
    notify(words, STATE);
    return;
  }
  store(words, STATE, READY);
  notify(words, STATE);
  for (let seen = 0; ; ) {
    wait(words, ASKED, seen);
    seen = load(words, ASKED);
    store(words, WRONG, 0);
    try {
      answer(load(words, TASKS));
    } catch (error) {
      sayWrong(exchange, error);
    }
    store(words, ANSWERED, seen);
    notify(words, ANSWERED);
  }
}

const data = workerData as PluginThreadData;
const own = { ...data };
// A module finds nothing here.
data.buffer = null;
void start(own);
