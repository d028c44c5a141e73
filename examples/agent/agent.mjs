// An agent that starts tools and survives the one that leaks. Whatever it starts shares one budget; when that runs out, the worst
// of them dies, not the agent.
//
//     node examples/agent/agent.mjs [budget, 256MiB]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startGuard } from 'badness/linux';

const [budget = '256MiB'] = process.argv.slice(2);
const MIB = 2 ** 20;
const TOOLS = ['words', 'leak', 'words'];

/** Of the tools that the guard has ended, what came back, by pid. */
const reports = new Map();

const guard = await startGuard({ domain: { descendantsOf: process.pid, budget }, enforce: true });
guard.on('round', ({ report }) => {
  if (report.victim) reports.set(report.victim.tgid, report);
});
guard.on('failed', ({ error }) => console.error(error));

/** The report of a round comes from the guard's thread, a moment after the end of the tool. */
async function reportOf(pid) {
  for (let looks = 0; looks < 100 && !reports.has(pid); looks++) await new Promise((later) => setTimeout(later, 50));
  return reports.get(pid);
}

/** Runs a tool to its end. What an agent would tell its model goes out. */
async function runTool(name) {
  const program = fileURLToPath(new URL(`tools/${name}.mjs`, import.meta.url));
  const tool = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  tool.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const [code, signal] = await once(tool, 'close');
  if (signal === null) return `${name} ended with ${code}: ${said.trim()}`;
  const report = await reportOf(tool.pid);
  if (!report) return `${name} ended by ${signal}, and not by the guard`;
  return `${name} took too much memory and was ended: ${Math.round((report.freedBytes ?? 0) / MIB)} MiB came back`;
}

for (const name of TOOLS) console.log(await runTool(name));
await guard.close();
