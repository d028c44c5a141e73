// Score and select a million tasks: the shipped engine against C and JavaScript. Answers the figures, or throws when
// two contestants that compute the same formula do not name the same victim and the same points.
import { existsSync } from 'node:fs';
import { Contestant, median } from './support.mjs';

/** 2^20: the loops of the hand-written contestants have no tail. */
export const TASKS = 1_048_576;
const SETS = 3;
const ROUNDS = 15;
const IN_NODE = [
  'shared:linux-2.6.10',
  'shared:linux-2.6.10:anew',
  'shared:badness',
  'baseline:linux-2.6.10',
  'baseline:badness',
  'javascript',
];
const IN_C = ['plain', 'sse', 'avx2'];
/** Half a second a round: fewer of them are enough. */
const SLOW = /^baseline/;

/** Medians of CPU time a task in ns, per contestant: one a set, each set of fresh processes. */
export async function benchScore(folder) {
  const sets = [];
  const missing = [];
  for (let set = 0; set < SETS; ++set) {
    const contestants = await start(folder, set === 0 ? missing : []);
    sets.push(await turns(contestants));
    for (const contestant of contestants.values()) await contestant.end();
  }
  const ns = {};
  for (const name of Object.keys(sets[0])) ns[name] = sets.map((set) => set[name]);
  return { ns, missing };
}

async function start(folder, missing) {
  const file = `${folder}/tasks`;
  const contestants = new Map();
  for (const [index, name] of IN_NODE.entries()) {
    const args = ['tests/bench/score-node.mjs', String(TASKS), name, ...(index === 0 ? [file] : [])];
    const contestant = new Contestant(process.execPath, args);
    if (!(await contestant.ready())) throw new Error(`${name} does not start`);
    contestants.set(name, contestant);
  }
  for (const name of existsSync(`${folder}/score`) ? IN_C : []) {
    const contestant = new Contestant(`${folder}/score`, [file, name]);
    if (await contestant.ready()) contestants.set(name, contestant);
    else missing.push(`${name}: this processor lacks the instructions`);
  }
  return contestants;
}

async function turns(contestants) {
  const times = {};
  let expected;
  for (let round = -2; round < ROUNDS; ++round) {
    for (const [name, contestant] of contestants) {
      if (SLOW.test(name) && round >= 0 && round % 4 !== 0) continue;
      const { us, ...answer } = await contestant.step();
      if (!name.endsWith('badness')) {
        const said = JSON.stringify(answer);
        expected ??= said;
        if (said !== expected) throw new Error(`${name} answers ${said}, expected ${expected}`);
      }
      if (round < 0) continue;
      times[name] ??= [];
      times[name].push((us * 1000) / TASKS);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}
