/** Puts reports into a spool until its disk is full: to be started with a bound of files (`ulimit -f`) and a folder. Prints what came of it as JSON. */
import { diskStore } from '../../../src/fleet/live/disk-store.js';
import { spoolLine } from '../../../src/fleet/spool.js';

const store = diskStore(process.argv[2]!);
let put = 0;
try {
  for (; ; put += 1) store.append(1, spoolLine({ subject: 's', id: `r${put}`, text: 'x'.repeat(100) }));
} catch (error) {
  console.log(JSON.stringify({ put, code: (error as NodeJS.ErrnoException).code }));
}
