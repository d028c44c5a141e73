/** `npm run fuzz -- [--seconds N | --inputs N] [--seed N] [--target NAME]… [--linear] [--replay FILE]`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { campaign, type Extent } from './campaign.js';
import { linear } from './linear.js';
import { failureOf, shrunk } from './shrink.js';
import { bytesOf, type Target } from './target.js';
import { SHARES, TARGETS } from './targets.js';

const FOLDER = 'build/fuzz-finds';
const SECONDS_DEFAULT = 60;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    inputs: { type: 'string' },
    seed: { type: 'string' },
    target: { type: 'string', multiple: true },
    linear: { type: 'boolean', default: false },
    replay: { type: 'string' },
  },
});

function number(name: 'seconds' | 'inputs' | 'seed', otherwise: number): number {
  const text = values[name];
  if (text === undefined) return otherwise;
  if (!/^\d{1,12}$/.test(text)) throw new RangeError(`--${name} must be a whole number, got ${text}`);
  return Number(text);
}

function chosen(): readonly Target[] {
  const { target: names } = values;
  if (!names) return TARGETS;
  return names.map((name) => {
    const found = TARGETS.find((target) => target.name === name);
    if (!found)
      throw new RangeError(`--target must be one of ${TARGETS.map((one) => one.name).join(', ')}, got ${name}`);
    return found;
  });
}

const grouped = (value: number) => Math.round(value).toLocaleString('en-US');

function written(name: string, input: string): string {
  mkdirSync(FOLDER, { recursive: true });
  const path = `${FOLDER}/${name}`;
  writeFileSync(path, bytesOf(input));
  return path;
}

async function report(target: Target, seed: number, input: string): Promise<void> {
  Error.stackTraceLimit = 30;
  const error =
    (await failureOf(target, input)) ??
    new Error('it failed once, and not again: something is left of the inputs before');
  const whole = written(`${target.name}-${seed}`, input);
  const small = written(`${target.name}-${seed}.small`, await shrunk(target, input, error));
  console.error(`\n${target.name}: ${error.stack ?? error.message}\n`);
  console.error(
    `seed ${seed}; the input is ${whole}, shrunk ${small}; again: npm run fuzz -- --target ${target.name} --replay ${small}`,
  );
}

/** The number of inputs; −1 when one was found that the parser is wrong about. */
async function fuzzOne(target: Target, seed: number, extent: Extent): Promise<number> {
  const { inputs, ms, answers, found } = await campaign(target, seed, extent);
  const rate = (inputs * 1000) / ms;
  console.log(
    `${target.name.padEnd(12)} ${grouped(inputs).padStart(11)} inputs ${grouped(rate).padStart(8)}/s ${answers} answers`,
  );
  if (found === null) return inputs;
  await report(target, seed, found);
  return -1;
}

async function fuzz(targets: readonly Target[]): Promise<boolean> {
  // The clock is as good as dice: a run that finds something says which seed it had.
  const seed = number('seed', Date.now() % 2 ** 32);
  const mostMs =
    values.inputs !== undefined && values.seconds === undefined ? Infinity : number('seconds', SECONDS_DEFAULT) * 1000;
  console.log(`seed ${seed}`);
  const shares = targets.reduce((sum, { name }) => sum + SHARES[name]!, 0);
  let total = 0;
  let isRight = true;
  for (const target of targets) {
    const mostInputs = Math.ceil((number('inputs', Infinity) * SHARES[target.name]!) / shares);
    const inputs = await fuzzOne(target, seed, { mostMs: mostMs / targets.length, mostInputs });
    if (inputs < 0) isRight = false;
    else total += inputs;
  }
  console.log(`${grouped(total)} inputs, seed ${seed}`);
  return isRight;
}

async function measure(targets: readonly Target[]): Promise<boolean> {
  let isRight = true;
  for (const target of targets) {
    const { tried, found } = await linear(target);
    console.log(`${target.name.padEnd(12)} ${tried} repetitions${found ? '' : ', all in proportion'}`);
    if (!found) continue;
    isRight = false;
    const path = written(`${target.name}-slow`, found.input);
    console.error(
      `${found.what}: ${found.smallMs} ms, and ${found.largeMs} ms for eight times as much; the smaller one is ${path}`,
    );
  }
  return isRight;
}

async function replay(targets: readonly Target[], path: string): Promise<boolean> {
  const input = readFileSync(path, 'latin1');
  let isRight = true;
  for (const target of targets) {
    const error = await failureOf(target, input);
    console.log(`${target.name}: ${error ? error.stack : 'as it should be'}`);
    if (error) isRight = false;
  }
  return isRight;
}

const targets = chosen();
const isRight =
  values.replay !== undefined ? await replay(targets, values.replay) : await (values.linear ? measure : fuzz)(targets);
// Servers of targets hold the event loop.
process.exit(isRight ? 0 : 1);
