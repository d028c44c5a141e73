// A fleet to look at: a server on loopback, three machines that do not exist, a policy, who would die, what was decided. `npm run fleet:demo`.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundlePrograms } from './bundle.mjs';

const GET = 'apt-get install nats-server, brew install nats-server, or https://github.com/nats-io/nats-server/releases';
if (spawnSync('nats-server', ['--version']).status !== 0) {
  console.log(`fleet:demo wants nats-server in PATH, and there is none: ${GET}`);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'badness-demo-'));
const children = [];
const clear = () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
};
process.once('exit', clear);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Looks until something is there, half a minute at most. */
async function until(look) {
  for (let left = 300; left > 0; --left) {
    const found = look();
    if (found) return found;
    await sleep(100);
  }
  throw new Error('fleet:demo: what was waited for did not come');
}

const config = `listen: "127.0.0.1:-1"\nports_file_dir: "${folder}"\njetstream { store_dir: "${folder}/store" }\n`;
writeFileSync(join(folder, 'server.conf'), config);
children.push(
  spawn('nats-server', ['-c', join(folder, 'server.conf'), '-l', join(folder, 'log')], { stdio: 'ignore' }),
);
const ports = await until(() => readdirSync(folder).find((name) => name.endsWith('.ports')));
const [url] = await until(() => JSON.parse(readFileSync(join(folder, ports), 'utf8') || '{}').nats);

function badness(...args) {
  console.log(`\n$ badness ${args.join(' ').replaceAll(folder, '.')}`);
  const env = { ...process.env, BADNESS_FLEET: url };
  spawnSync(process.execPath, ['dist/cli.js', ...args], { stdio: 'inherit', env });
}

badness('fleet', 'setup');
badness('fleet', 'key', join(folder, 'key.pem'));
const { openSigner } = await import('../dist/fleet.js');
const { trust } = openSigner(readFileSync(join(folder, 'key.pem'), 'utf8'));
const outdir = 'build/fleet-demo';
await bundlePrograms(['tests/fleet/proof/hosts.worker.ts'], outdir);
const hosts = ['web-1.example', 'web-2.example', 'ci-runner'];
const settings = { url, hosts, labels: [], trust: [trust], links: 1, spoolBytes: 1 << 20, pingMs: 2000 };
const machines = spawn(process.execPath, [`${outdir}/hosts.worker.js`, JSON.stringify(settings)], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
children.push(machines);
let said = '';
machines.stdout.on('data', (text) => {
  said += text;
});
await until(() => said.includes('"up"'));
writeFileSync(join(folder, 'new.toml'), 'version = 1\nthresholds.term.available = "11%"\n');
badness('fleet', 'policy', 'put', 'default', join(folder, 'new.toml'), '--key', join(folder, 'key.pem'));
machines.stdin.write(`${JSON.stringify({ id: 1, ask: { kind: 'tell', rounds: 2, everyMs: 100 } })}\n`);
await until(() => said.includes('"id":1'));
await sleep(1000);
badness('fleet', 'policy', 'status');
badness('fleet', 'who-dies', '--available', '5%');
badness('fleet', 'top');
badness('fleet', 'decisions', '--since', '1h');
process.exit(0);
