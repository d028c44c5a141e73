// Stage: report. In: the doctor's facts. Out: lines for people, with what each fact costs.
import { SCHEMA_VERSION } from '../../assembly/layout.js';
import { type Plain, snakeKeys } from '../json-keys.js';
import type { DoctorFacts, Limit } from './doctor.js';

/** One line a fact; lines that begin with `warning:` name what a guard will miss here. */
export function doctorLines(facts: DoctorFacts): string[] {
  const { native, limits } = facts;
  const lines = [
    `kernel: ${facts.kernel}`,
    native.path === 'pidfd'
      ? `signals: pidfd through koffi (${native.library})`
      : `signals: kill(2) after reading the kept descriptor (${native.reason ?? `pidfd: ${native.pidfd}`})`,
    `process_mrelease: ${native.processMrelease}`,
    `kcmp: ${native.kcmp}`,
    `capabilities: ${capabilityText(facts)}`,
    `open files: ${limitText(limits.nofileSoft)} soft, ${limitText(limits.nofileHard)} hard`,
    `locked memory: ${limitText(limits.memlockSoftBytes)} bytes soft, ${limitText(limits.memlockHardBytes)} hard`,
    `cgroup memory: ${facts.cgroupMemory}`,
    `pressure (PSI): ${facts.psi}`,
    `swap: ${facts.swapTotalKib === null ? 'unknown' : facts.swapTotalKib === 0 ? 'none' : `${facts.swapTotalKib} KiB`}`,
    `hidepid: ${facts.hidepid}`,
  ];
  return [...lines, ...warnings(facts).map((warning) => `warning: ${warning}`)];
}

/** The facts with the keys of the JSON output; capabilities are the names of those held, null when unknown. */
export function doctorToJson(facts: DoctorFacts): { readonly [key: string]: Plain } {
  const held = facts.capabilities && Object.entries(facts.capabilities).filter(([, has]) => has);
  const capabilities = held?.map(([name]) => `CAP_${name}`) ?? null;
  const plain = { schema: SCHEMA_VERSION, ...facts, capabilities, warnings: warnings(facts) };
  return snakeKeys(plain as unknown as Plain) as { readonly [key: string]: Plain };
}

function warnings(facts: DoctorFacts): string[] {
  const { native, capabilities } = facts;
  const found = facts.daemons.map((one) => `${one.comm} (${one.tgid}) also kills when memory is short`);
  if (native.path === 'kill') found.push('a pid reused in the microseconds before kill(2) cannot be told');
  if (native.processMrelease !== 'ok') found.push('the memory of a frozen or stuck victim cannot be taken back');
  if (native.kcmp !== 'ok') found.push('tasks sharing the memory of a victim are not known');
  if (facts.hidepid !== 'off') found.push(`hidepid=${facts.hidepid}: tasks of other users are not seen`);
  if (capabilities && !capabilities.KILL) found.push('without CAP_KILL only tasks of this user can be killed');
  if (capabilities && !capabilities.SYS_NICE)
    found.push('without CAP_SYS_NICE a niced victim on a busy machine exits slowly');
  return found;
}

function capabilityText({ capabilities }: DoctorFacts): string {
  if (capabilities === null) return 'unknown';
  const held = Object.entries(capabilities).filter(([, has]) => has);
  return held.length > 0 ? held.map(([name]) => name).join(' ') : 'none that matter';
}

function limitText(limit: Limit): string {
  return limit === null ? 'unknown' : String(limit);
}
