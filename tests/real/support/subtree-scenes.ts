// What happens in the agent: it starts tools, watches its own subtree, and answers what it saw.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readMachine } from '../../../src/linux/machine.js';
import { loadNative } from '../../../src/linux/native.js';
import { SubtreeMembers } from '../../../src/linux/subtree.js';
import { plantCookie } from '../../../src/linux/subtree-cookie.js';
import { SubtreeReader } from '../../../src/linux/subtree-reader.js';
import { PATIENCE_MS } from '../../src/support/patience.js';
import { pause } from './count.js';
import type { Answers, Scene } from './subtree-agent.js';
import { Tool, until } from './subtree-tools.js';

const MIB = 2 ** 20;
/** So small that every figure is read. */
const SMALL = 64 * MIB;

const { pageSize } = readMachine();
const cookie = plantCookie();

function watch(withCookie = true): SubtreeMembers {
  const members = new SubtreeMembers({ root: process.pid, ...(withCookie ? { cookie } : {}) });
  members.refresh();
  return members;
}

const found = (members: SubtreeMembers, pids: readonly number[]) => pids.filter((pid) => members.has(pid)).length;

/** How many of three are found that were left behind between two looks, and of one that was seen before. */
const escapes: Scene = async ({ orphans }) => {
  const answers: Answers = {};
  for (const withCookie of [true, false]) {
    const members = watch(withCookie);
    for (const how of ['session', 'group', 'bare', 'watched']) {
      const watched = how === 'watched';
      // Zombies of the tool before may still be there.
      const before = new Set(members.pids());
      const tool = new Tool(orphans, [how, 2, watched ? 1 : 3]);
      if (watched) {
        // The tool, the one in between, the last.
        await until('three are seen', () => {
          members.refresh();
          return members.pids().filter((pid) => !before.has(pid)).length >= 3;
        });
        tool.line();
      }
      await (await tool.told(watched ? 1 : 3)).over();
      members.refresh();
      answers[`${how}${withCookie ? '' : ' without cookie'}`] = found(members, tool.pids);
      tool.end();
    }
    members.close();
  }
  return answers;
};

/** Whether one of these is a member, or anybody not told by a tool. */
const strangers: Scene = async ({ orphans }, pid) => {
  const members = watch();
  const tool = await new Tool(orphans, ['hold', 2]).told(1);
  members.refresh();
  const answers = {
    pids: [...members.pids()],
    tool: tool.process.pid,
    stranger: members.has(pid),
    root: members.has(process.pid),
  };
  tool.end();
  members.close();
  return answers;
};

/** The charge without the agent itself, whose own memory grows while it reads. */
function othersBytes(members: SubtreeMembers, reader: SubtreeReader): number {
  const { residentPages, sharedPages } = members.everyone()[0]!;
  return reader.chargeBytes - (residentPages - sharedPages) * pageSize;
}

/** By how many MiB the charge grows by a tool: the last of some readings. */
async function growth(
  words: [program: string, ...rest: (string | number)[]],
  told: number,
  kcmp: boolean,
): Promise<number> {
  const { native } = await loadNative();
  const members = watch();
  const reader = new SubtreeReader(members, SMALL, kcmp && native ? { sharesVm: native.sharesVm } : {});
  reader.read();
  const before = othersBytes(members, reader);
  const [program, ...rest] = words;
  const tool = new Tool(program, rest);
  tool.line();
  await tool.told(told);
  await pause(300);
  for (let reading = 0; reading < 12; ++reading) reader.read();
  const after = othersBytes(members, reader);
  tool.end();
  await pause(50);
  members.close();
  return Math.round((after - before) / MIB);
}

const charge: Scene = async ({ orphans, hostile }) => ({
  own: await growth([orphans, 'session', 50, 2], 2, false),
  shared: await growth([orphans, 'shared', 60, 3], 4, false),
  copies: await growth([orphans, 'copies', 80, 3], 4, false),
  sharemm: await growth([hostile, 'sharemm', 60], 1, false),
  'sharemm by kcmp': await growth([hostile, 'sharemm', 60], 1, true),
  'leader ended': await growth([hostile, 'zleader', 50], 1, false),
});

/** The highest charge, in MiB, while a tool of 100 MiB forks a hundred times and each child waits 3 ms before it calls execve. */
const spawning: Scene = async ({ orphans }) => {
  const members = watch();
  const reader = new SubtreeReader(members, SMALL);
  reader.read();
  const before = othersBytes(members, reader);
  const tool = await new Tool(orphans, ['spawn', 100, 100]).told(1);
  let most = 0;
  let readings = 0;
  for (; tool.pids.length < 2; ++readings) {
    reader.read();
    most = Math.max(most, othersBytes(members, reader) - before);
    await pause(1);
  }
  tool.end();
  members.close();
  return { mostMib: Math.round(most / MIB), readings };
};

/** A budget kept by killing the largest, every 5 ms: whom it took, and who is left. */
const budget: Scene = async ({ orphans }, budgetMib) => {
  const members = watch();
  const reader = new SubtreeReader(members, budgetMib * MIB);
  const quiet = await (await new Tool(orphans, ['session', 30, 1]).told(1)).over();
  const leak = new Tool(orphans, ['leak', 100, 3]);
  const killed: number[] = [];
  let mostMib = 0;
  for (const end = Date.now() + PATIENCE_MS / 2; Date.now() < end && killed.length < 2; await pause(5)) {
    const { availableKib, basisKib } = reader.read();
    mostMib = Math.max(mostMib, reader.chargeBytes / MIB);
    if (availableKib * 10 > basisKib) continue;
    const [worst] = members
      .everyone()
      .slice(1)
      .sort((a, b) => b.residentPages - a.residentPages);
    if (!worst || !members.has(worst.pid)) continue;
    process.kill(worst.pid, 'SIGKILL');
    killed.push(worst.pid);
    await until('its memory is back', () => !worst.measure() || worst.totalPages === 0);
  }
  await pause(100);
  reader.read();
  const answers = {
    killed: killed.length,
    leaks: killed.filter((pid) => leak.pids.includes(pid)).length,
    quiet: found(members, quiet.pids),
    left: members.everyone().filter((one) => leak.pids.includes(one.pid) && one.totalPages > 0).length,
    mostMib: Math.round(mostMib),
    leftMib: Math.round(reader.chargeBytes / MIB),
  };
  leak.end();
  quiet.end();
  members.close();
  return answers;
};

/** Newcomers are found when this process has no descriptor left, by giving the kept ones back. */
const descriptors: Scene = async ({ orphans }) => {
  const members = watch();
  const first = await (await new Tool(orphans, ['session', 1, 5]).told(5)).over();
  members.refresh();
  const kept = members.kernelCost.descriptors;
  const second = await (await new Tool(orphans, ['session', 1, 2]).told(2)).over();
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=100:100']);
  const opened: number[] = [];
  let code = '';
  try {
    for (;;) opened.push(openSync('/dev/null', 'r'));
  } catch (error) {
    code = String((error as NodeJS.ErrnoException).code);
  }
  let refused = '';
  try {
    members.refresh();
  } catch (error) {
    refused = String(error);
  }
  for (const fd of opened) closeSync(fd);
  const answers = {
    code,
    refused,
    kept,
    left: members.kernelCost.descriptors,
    known: found(members, [...first.pids, ...second.pids]),
  };
  first.end();
  second.end();
  members.close();
  return answers;
};

/** Microseconds of a reading of fifty members, medians. */
const cost: Scene = async ({ orphans }) => {
  const members = watch();
  const tool = await (await new Tool(orphans, ['session', 1, 50]).told(50)).over();
  const answers: Answers = {};
  for (const [name, bytes] of [
    ['far', 4096 * MIB],
    ['near', SMALL],
  ] as const) {
    const reader = new SubtreeReader(members, bytes);
    const taken: number[] = [];
    for (let reading = 0; reading < 400; ++reading) {
      const began = performance.now();
      reader.read();
      taken.push((performance.now() - began) * 1000);
    }
    answers[name] = Math.round(taken.sort((a, b) => a - b)[200]!);
  }
  answers.members = members.pids().length;
  tool.end();
  members.close();
  return answers;
};

export const SCENES: Record<string, Scene> = { escapes, strangers, charge, spawning, budget, descriptors, cost };
