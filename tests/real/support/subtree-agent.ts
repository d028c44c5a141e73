// An agent that starts tools, as a plain user: the root of a subtree, watched by itself. The test file's own bundle is started again with
// BADNESS_REAL_CHILD=agent, and asked for one scene after the other.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { loadNative } from '../../../src/linux/native.js';
import { hurry } from './count.js';

export type Answers = Record<string, unknown>;
export type Scene = (binaries: Binaries, argument: number) => Promise<Answers>;

export interface Binaries {
  readonly orphans: string;
  readonly hostile: string;
}

export interface Agent {
  readonly pid: number;
  /** Runs a scene in the agent. */
  play(scene: string, argument?: number): Promise<Answers>;
  end(): void;
}

const NOBODY = 65534;

export const isAgent = process.env.BADNESS_REAL_CHILD === 'agent';

/** Starts an agent; as the plain user 65534 where the test is root. */
export async function startAgent(bundle: string, binaries: Binaries): Promise<Agent> {
  const env: NodeJS.ProcessEnv = { ...process.env, BADNESS_REAL_CHILD: 'agent', AGENT: JSON.stringify(binaries) };
  delete env.NODE_TEST_CONTEXT;
  const child = fork(bundle, { env, execArgv: ['--enable-source-maps'], serialization: 'advanced' });
  await once(child, 'message');
  hurry(child.pid!);
  return {
    pid: child.pid!,
    play: (scene, argument = 0) => ask(child, { scene, argument }),
    end() {
      child.kill('SIGKILL');
    },
  };
}

async function ask(child: ChildProcess, request: { scene: string; argument: number }): Promise<Answers> {
  child.send(request);
  const [answer] = (await Promise.race([once(child, 'message'), ended(child)])) as [Answers];
  if ('failed' in answer) throw new Error(String(answer.failed));
  return answer;
}

async function ended(child: ChildProcess): Promise<never> {
  const [code, signal] = await once(child, 'exit');
  throw new Error(`the agent ended: ${signal ?? code}`);
}

export async function serveScenes(scenes: Record<string, Scene>): Promise<void> {
  // Before the rights go: the plain user may not be able to read the directory koffi is in.
  await loadNative();
  const binaries = JSON.parse(process.env.AGENT ?? '{}') as Binaries;
  if (process.getuid?.() === 0) {
    process.setgroups?.([]);
    process.setgid?.(NOBODY);
    process.setuid?.(NOBODY);
  }
  process.on('message', ({ scene, argument }: { scene: string; argument: number }) => {
    scenes[scene]!(binaries, argument).then(
      (answers) => process.send?.(answers),
      (error) => process.send?.({ failed: `${error}: ${error?.stack}` }),
    );
  });
  process.send?.('ready');
}
