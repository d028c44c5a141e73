// An agent for Deno that starts tools and survives the one that leaks; the same as ../agent, in Deno's own words.
//
//     deno run -A examples/deno-agent/agent.ts [budget, 384MiB]
import { startGuard } from 'npm:badness/linux';

const [budget = '384MiB'] = Deno.args;
const TOOLS = ['words', 'leak', 'words'];

/** Of the tools that the guard has ended, what came back, by pid. */
const freedBytes = new Map<number, number>();

const guard = await startGuard({ domain: { descendantsOf: Deno.pid, budget }, enforce: true });
guard.on('round', ({ report }) => {
  if (report.victim) freedBytes.set(report.victim.tgid, report.freedBytes ?? 0);
});
guard.on('failed', ({ error }) => console.error(error));

/** The report of a round comes from the guard's thread, a moment after the end of the tool. */
async function freedBy(pid: number): Promise<number | undefined> {
  for (let looks = 0; looks < 100 && !freedBytes.has(pid); looks++) await new Promise((later) => setTimeout(later, 50));
  return freedBytes.get(pid);
}

async function runTool(name: string): Promise<string> {
  const program = new URL(`tools/${name}.ts`, import.meta.url).pathname;
  const tool = new Deno.Command(Deno.execPath(), { args: ['run', program], stdout: 'piped' }).spawn();
  const { code, signal, stdout } = await tool.output();
  if (signal === null) return `${name} ended with ${code}: ${new TextDecoder().decode(stdout).trim()}`;
  const freed = await freedBy(tool.pid);
  if (freed === undefined) return `${name} ended by ${signal}, and not by the guard`;
  return `${name} took too much memory and was ended: ${Math.round(freed / 2 ** 20)} MiB came back`;
}

for (const name of TOOLS) console.log(await runTool(name));
await guard.close();
