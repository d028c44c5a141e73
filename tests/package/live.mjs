// A consumer on Linux: ranks the machine it runs on.
import { openEngine, rankTasks } from 'badness';
import { readTasks } from 'badness/linux';

const engine = await openEngine();
readTasks(engine);
console.log(rankTasks(engine).ranked.some(({ tgid }) => tgid === process.pid));
