// The proof of docs/fleet.md with times, on a quiet machine: `npm run bench:fleet [fleets] [what-if] [guard]`. Root has a real partition.
import { spawnSync } from 'node:child_process';
import { bundlePrograms } from './bundle.mjs';

if (spawnSync('nats-server', ['--version']).status !== 0) {
  console.error(
    'bench:fleet: expected nats-server in PATH, found none; apt-get install nats-server, or nats.io/download',
  );
  process.exit(1);
}
const outdir = 'build/bench-fleet';
await bundlePrograms(['tests/fleet/proof/main.ts', 'tests/fleet/proof/hosts.worker.ts'], outdir);
const { status } = spawnSync(process.execPath, [`${outdir}/main.js`, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
