/** Stage: all of them, of a machine that does not exist. A scenario, played under the policy and the scheme in force: a story. */
import { counted } from '../cli/quantities.js';
import type { Scoring } from '../cli/words.js';
import { definePolicy, type Policy } from '../policy/index.js';
import {
  defineScenario,
  notPlayed,
  type Scenario,
  type ScenarioInput,
  type SimResult,
  simulate,
} from '../simulate/index.js';
import { Frames } from './frames.js';
import { ScenarioTexts } from './scenario-texts.js';
import type { MemoryTrack, Story } from './story.js';

/** The policy that the guard of the scenario has: that of the reader, with the scheme and parameters that are chosen now. */
function policyFor(policy: Policy | null, { scheme, maxDiscount, age, adj }: Scoring): Policy {
  return definePolicy({ ...(policy ?? {}), scheme, parameters: { maxDiscount, age, adj } });
}

function trackOf({ machine }: Scenario, { samples }: SimResult): MemoryTrack {
  return {
    timesS: samples.map(({ atMs }) => atMs / 1000),
    memoryBytes: samples.map(({ availableBytes }) => machine.memory - availableBytes),
    swapBytes: samples.map(({ swapUsedBytes }) => swapUsedBytes),
    memoryTotalBytes: machine.memory,
    swapTotalBytes: machine.swap,
  };
}

function seconds(s: number): string {
  return `${s.toFixed(1)} s`;
}

function killWords({ kills, innocentsKilled, kernelKills }: SimResult): string {
  if (kills.length === 0) return 'Nobody was killed.';
  const by =
    kernelKills === 0 ? '' : ` The guard was too late ${counted(kernelKills, 'time')}: then the kernel killed.`;
  return `${counted(kills.length, 'task')} killed, ${innocentsKilled} of them innocent.${by}`;
}

function notesOf({ about }: Scenario, result: SimResult, left: readonly string[]): string[] {
  const { pressureMs, stalledMs } = result;
  const short = `Memory was short for ${seconds(pressureMs / 1000)}, used up for ${seconds(stalledMs / 1000)}.`;
  return [
    ...(about === '' ? [] : [`${about}.`]),
    ...[killWords(result), short],
    ...(left.length === 0 ? [] : [`Not played of the policy: ${left.join('; ')}.`]),
  ];
}

/** Plays a scenario. Throws TypeError or RangeError for one that is none. */
export async function scenarioStory(input: object, policy: Policy | null, scoring: Scoring): Promise<Story> {
  const scenario = defineScenario(input as ScenarioInput);
  const frames = new Frames();
  const played = policyFor(policy, scoring);
  const result = await simulate(scenario, played, {
    onMoment: ({ sample, tasks, machine }) => frames.add(sample.atMs / 1000, machine, tasks),
  });
  const { timesS } = frames;
  const kills = result.kills.map(({ atMs, ...kill }) => ({ ...kill, atS: atMs / 1000 }));
  // Just before the first kill, where there is something to be decided.
  const before = kills[0] ? timesS.findLastIndex((atS) => atS < kills[0]!.atS) : timesS.length - 1;
  const head = {
    ...({ kind: 'scenario', moments: timesS.map(seconds), momentsS: timesS } as const),
    ...{
      first: Math.max(before, 0),
      track: trackOf(scenario, result),
      kills,
      notes: notesOf(scenario, result, policy ? notPlayed(policy) : []),
      policy: null,
    },
  };
  const texts = new ScenarioTexts(scenario);
  const moment = (index: number) => {
    const { tasks, machine } = frames.at(index);
    texts.moveTo(tasks);
    return { tasks, machine, options: {}, facts: [], kernelChose: null, kernelKilledChild: null };
  };
  return { head, surroundings: { texts, uidOf: () => undefined }, moment };
}
