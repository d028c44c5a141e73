// A consumer that has everything in its bundle, the guard's thread beside it as a bundle of its own.
import { pathToFileURL } from 'node:url';
import { startGuard } from 'badness/linux';

const worker = new URL('guard-worker.mjs', pathToFileURL(process.argv[1]));
const guard = await startGuard({ domain: 'system', keepAlive: true, worker });
console.log(guard.facts.enforce, guard.facts.domain);
await guard.close();
