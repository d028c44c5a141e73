// node decision.mjs TASKS SETS FOLDER: one whole decision about a crowd of sleeping processes, CPU time a process.
// FOLDER holds the compiled crowd.c and scan.c, or not. Prints one JSON object. run.mjs starts it in a pid namespace of
// its own where it may, so that there is nobody but the crowd. Contestants take turns, one round each; every set has
// fresh processes.
import { existsSync } from 'node:fs';
import { startCrowd } from './crowd.mjs';
import { Earlyoom } from './earlyoom.mjs';
import { Contestant, median } from './support.mjs';

const [wanted, sets, folder] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
/** Rounds of a set: the first, the early ones while compilers are at work, then the steady ones. */
const EARLY = 10;
const ROUNDS = 70;
const STEADY = 40;
const DRY = 12;

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const crowd = await startCrowd(folder, wanted);
const results = [];
for (let set = 0; set < sets; ++set) results.push(await runSet());
const output = { sets: results, namespace: process.pid < 100, kernel: await kernelMemory() };
console.log(JSON.stringify(output));
await crowd.end();

async function runSet() {
  const node = (listing) => new Contestant(process.execPath, [`${here}/decision-node.mjs`, listing]);
  const contestants = { forked: node('when-forked'), always: node('always') };
  const scan = `${folder}/scan`;
  if (existsSync(scan)) contestants.c = new Contestant(scan, []);
  for (const [name, contestant] of Object.entries(contestants)) {
    if (!(await contestant.ready())) throw new Error(`${name} does not start`);
  }
  const earlyoom = await Earlyoom.start();
  const last = Object.values(contestants).at(-1);
  const rounds = {};
  let tasks = 0;
  for (let round = 1; round <= ROUNDS; ++round) {
    for (const [name, contestant] of Object.entries(contestants)) {
      let answer = await contestant.step();
      // Others on this machine fork between two turns. Asked again soon it mostly need not list; the one that goes
      // before it in every turn goes before it here too, so that the caches are as cold.
      for (let again = 0; name === 'forked' && round > EARLY && answer.listed && again < 8; ++again) {
        await last.step();
        answer = await contestant.step();
      }
      tasks = answer.tasks;
      rounds[name] ??= [];
      rounds[name].push({ perTask: answer.us / answer.tasks, ...answer });
    }
    // It costs ten times the others and does not change: some turns of it, spread over the set, tell.
    if (earlyoom && (round <= 2 || round % (ROUNDS / (DRY - 2)) === 0)) {
      const { us, scans } = await earlyoom.step();
      rounds.earlyoom ??= [];
      rounds.earlyoom.push({ perTask: us / scans / tasks, us, tasks });
    }
  }
  earlyoom?.end();
  for (const contestant of Object.values(contestants)) await contestant.end();
  return summary(rounds);
}

function summary(rounds) {
  const perTask = (list) => (list.length ? median(list.map((round) => round.perTask)) : null);
  const parts = (list) => ({
    first: list[0].perTask,
    early: perTask(list.slice(1, EARLY)),
    steady: perTask(list.slice(ROUNDS - STEADY)),
    tasks: list.at(-1).tasks,
  });
  const { forked, always, c, earlyoom } = rounds;
  const late = forked.slice(ROUNDS - STEADY);
  const skipped = late.filter((round) => !round.listed);
  return {
    always: parts(always),
    // Rounds that could skip the listing, and how often that was.
    forked: { ...parts(forked), steady: perTask(skipped), mixed: perTask(late), skipped: skipped.length / late.length },
    c: c ? parts(c) : null,
    earlyoom: earlyoom ? { steady: perTask(earlyoom.slice(1)), tasks: earlyoom.at(-1).tasks } : null,
    engineShare: median(always.slice(EARLY).map((round) => round.engineUs / round.us)),
    refined: median(always.slice(EARLY).map((round) => round.refined)),
  };
}

/** Growth of the kernel's slab for every descriptor kept open on a statm that was read, in bytes. */
async function kernelMemory() {
  const values = [];
  for (let round = 0; round < 5; ++round) {
    const contestant = new Contestant(process.execPath, [`${here}/kernel-memory.mjs`]);
    values.push(JSON.parse(await contestant.line()));
    await contestant.end();
  }
  return values;
}
