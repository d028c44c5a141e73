// A consumer that starts a guard in a thread, dry: the thread's program must have come along.
import { startGuard } from 'badness/linux';

const guard = await startGuard({ domain: 'system', keepAlive: true });
console.log(guard.facts.enforce);
await guard.close();
