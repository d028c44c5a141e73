/** All targets, those that strangers reach most easily first. */
import type { Target } from './target.js';
import { caseFile, scenarioFile } from './targets/cases.js';
import { control } from './targets/control.js';
import { kernelLog } from './targets/kernel-log.js';
import { cgroupMemory, meminfo, psi } from './targets/memory.js';
import { comm, printed } from './targets/names.js';
import { pattern } from './targets/pattern.js';
import { link, plugin } from './targets/playground.js';
import { environment, policy } from './targets/policy.js';
import { procStat, procStatm, procStatus, taskStat } from './targets/proc.js';
import { command, queue } from './targets/proposals.js';
import { recording } from './targets/recording.js';
import { ruleTexts } from './targets/rule-texts.js';
import { taskLines } from './targets/task-lines.js';

export const TARGETS: readonly Target[] = [
  ...[procStat, procStatm, procStatus, taskStat, comm, printed, kernelLog, ruleTexts],
  ...[meminfo, cgroupMemory, psi, recording, policy, environment, pattern, taskLines],
  ...[queue, command, control, scenarioFile, caseFile, link, plugin],
];

/** How many of a thousand inputs each gets when their number is given: parsers that strangers reach get most, slow ones less. */
export const SHARES: Readonly<Record<string, number>> = {
  ...{ stat: 100, statm: 100, status: 100, 'task-stat': 50, comm: 45, printed: 30, 'kernel-log': 20, 'rule-texts': 50 },
  ...{ meminfo: 50, cgroup: 50, psi: 90, recording: 30, policy: 5, earlyoom: 10, pattern: 30, 'task-lines': 30 },
  ...{ queue: 40, command: 65, control: 10, scenario: 15, cases: 20, link: 20, plugin: 40 },
};
