// A pool of worker threads that recycles its worst worker when the host runs short of memory, and none before: no cap to guess. The host is
// what limits this process: its container or cgroup, else the machine.
//
//     node examples/worker-pool/pool.mjs [tasks, 120]
import { Worker } from 'node:worker_threads';
import { loadTasks, openEngine, rankTasks } from 'badness';
import { startGuard } from 'badness/linux';
import { TaskRegistry } from 'badness/registered';
import { registerWorker } from 'badness/workers';

const TASKS = Number(process.argv[2] ?? 120);
const WORKERS = 4;
const MIB = 2 ** 20;
const PAGE_BYTES = 4096;

/** What the workers hold, sampled four times a second (docs/registered.md). */
const registry = new TaskRegistry();
const engine = await openEngine({ maxTasks: 64 });

class Member {
  recycled = 0;
  #worker;
  #task;
  #done = () => {};

  constructor(name) {
    this.name = name;
    this.#start();
  }

  get heldBytes() {
    return this.#task.measure();
  }

  /** As the engine ranks it: size, and age and work done as what is spared. */
  record(tgid) {
    const { cpuMs, startedMs } = this.#task;
    const startTimeTicks = Math.floor(startedMs / 10);
    const pages = Math.ceil(this.heldBytes / PAGE_BYTES);
    return { tgid, comm: this.name, rssPages: pages, utimeJiffies: Math.floor(cpuMs / 10), startTimeTicks };
  }

  /** One task at a time. What is in work when the worker is recycled is done again. */
  async run(customer) {
    for (;;) {
      const ended = new Promise((resolve) => {
        this.#done = resolve;
      });
      this.#worker.postMessage(customer);
      if ((await ended) === 'done') return;
    }
  }

  async recycle() {
    const heldBytes = this.heldBytes;
    await this.#worker.terminate();
    this.recycled++;
    this.#start();
    this.#done('again');
    return heldBytes;
  }

  end() {
    return this.#worker.terminate();
  }

  #start() {
    this.#worker = new Worker(new URL('./worker.mjs', import.meta.url));
    this.#worker.on('message', () => this.#done('done'));
    this.#task = registerWorker(registry, this.#worker, { name: this.name });
  }
}

const members = Array.from({ length: WORKERS }, (_, index) => new Member(`worker ${index}`));

function worst() {
  const tasks = members.map((member, index) => member.record(2 + index));
  loadTasks(engine, tasks, { uptimeS: performance.now() / 1000, pageSize: PAGE_BYTES, hz: 100 });
  const { victim } = rankTasks(engine);
  return victim && members[victim.tgid - 2];
}

// Swap does not count: a pool that swaps is of no use to anybody.
const guard = await startGuard({
  domain: 'auto',
  enforce: true,
  thresholds: {
    warn: { available: '40%' },
    term: { available: '30%', swapFree: '100%' },
    kill: { available: '5%', swapFree: '100%' },
  },
});
console.log(`guards ${guard.facts.domain}`);
guard.register({
  name: 'pool',
  // In the place of a kill: no process is signalled, whoever it may be.
  async react() {
    const member = worst();
    if (member) console.log(`${member.name} recycled: it held ${Math.round((await member.recycle()) / MIB)} MiB`);
    return { stop: true };
  },
});

// A customer's tasks go to the same worker, which keeps what it has made for them. The last one's are large.
await Promise.all(
  members.map(async (member, customer) => {
    for (let count = 0; count < TASKS; ++count) await member.run(customer === WORKERS - 1 ? 'large' : 'small');
  }),
);
console.log(`${TASKS * WORKERS} tasks done; recycled ${members.map(({ recycled }) => recycled).join(', ')} times`);
await Promise.all([guard.close(), ...members.map((member) => member.end())]);
