// A consumer without anything of Node's: decides about an evening of tasks, on both builds, and prints the records.
import { loadTasks, openEngine, parseTaskLines } from 'badness';
import { decide } from 'badness/guard';
import { playgroundLink } from 'badness/playground';
import { definePolicy } from 'badness/policy';
import { TaskRegistry } from 'badness/registered';
import { readKernelLog } from 'badness/report';

const { machine, tasks } = parseTaskLines(`
  {"schema":1,"page_size":4096,"hz":100,"uptime_s":1000,"total_pages":1000000}
  {"tgid":10,"comm":"leaky","rss_pages":50000,"start_time_ticks":90000}
  {"tgid":11,"comm":"database","rss_pages":60000,"utime_jiffies":900000,"start_time_ticks":100}
`);
for (const build of ['shared', 'baseline']) {
  const engine = await openEngine({ build });
  loadTasks(engine, tasks, machine);
  const { comm, bytes } = decide(engine, { totalPages: machine.totalPages });
  console.log(build, comm, Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''));
}
console.log(definePolicy({ domain: 'system' }).scheme, new TaskRegistry().size, readKernelLog('').events.length);
console.log(await playgroundLink('https://example.org/oom/', { text: 'badness-recording 1\n', name: 'evening.proc' }));
