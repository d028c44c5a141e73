// What a decision costs while swap is in use: how many of the tasks a scanner has to read in full to know the victim. Waits until `percent` of swap is
// used, decides, and says so.
import { openEngine } from '/opt/node_modules/badness/dist/index.js';
import { MeminfoReader, ProcScanner } from '/opt/node_modules/badness/dist/linux.js';

const percent = Number(process.argv[2]);
const ROUNDS = 15;
const memory = new MeminfoReader();
const scanner = new ProcScanner(await openEngine());
const used = () => {
  const { swapTotalKib, swapFreeKib } = memory.read();
  return { swapUsedKib: swapTotalKib - swapFreeKib, share: (100 * (swapTotalKib - swapFreeKib)) / swapTotalKib };
};
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

scanner.decide();
while (used().share < percent) await new Promise((resolve) => setTimeout(resolve, 100));
const rounds = Array.from({ length: ROUNDS }, () => scanner.decide());
const fact = {
  fact: 'cost',
  tasks: scanner.kernelCost.descriptors,
  refined: median(rounds.map(({ refined }) => refined)),
  round_us: Math.round(median(rounds.map(({ roundUs }) => roundUs))),
  swap_used_kib: used().swapUsedKib,
};
console.log(`@vm ${JSON.stringify(fact)}`);
const ok = fact.refined * 4 < fact.tasks;
const saw = `${fact.refined} of ${fact.tasks} read in full`;
console.log(`@vm ${JSON.stringify({ fact: 'check', name: 'bounds prune', saw, ok })}`);
