/**
 * Stage: none (settings). What a machine's own file leaves to the fleet. A policy from outside comes in; what is to be in force goes out:
 * rules that the file marks `local = "never"` always stand, nobody is killed where the file does not allow it, and no program is run.
 */
import { BadnessError } from '../errors.js';
import {
  definePolicy,
  type FleetAllowance,
  type PolicyFile,
  type PolicyInput,
  type RuleInput,
} from '../policy/index.js';

/** Of the machine's own file. */
export interface LocalSide {
  /** What it says of the domain that is guarded. */
  readonly input: PolicyInput;
  readonly allow: readonly FleetAllowance[];
}

/** A policy of the fleet as it may be in force on a machine. */
export interface Limited {
  readonly input: PolicyInput;
  /** What is not as the fleet's policy has it, in words. */
  readonly notes: readonly string[];
}

const SEVERAL = 'a fleet policy of several domains must have a table for that of the machine';

/** The policy of the domain that the machine guards. */
function policyFor({ given: { policies } }: PolicyFile, local: PolicyInput): PolicyInput {
  const own = definePolicy(local.domain === undefined ? {} : { domain: local.domain }).domain;
  if (policies.length === 1) return policies[0]!;
  const found = policies.find(({ domain }) => {
    return JSON.stringify(definePolicy(domain === undefined ? {} : { domain }).domain) === JSON.stringify(own);
  });
  if (found) return found;
  throw new BadnessError('EDOMAIN', `${SEVERAL}, ${JSON.stringify(own)}`);
}

/** What of a policy names a program, an address or a reboot. */
function programsIn({ scheme, reaction, noVictim, notify = [], panic }: PolicyInput): string[] {
  const found: string[] = [];
  if (typeof scheme === 'object') found.push('scheme');
  if (typeof reaction === 'object' && reaction !== null) found.push('reaction');
  if (typeof noVictim === 'object') found.push('no_victim');
  if (notify.some((rule) => 'command' in rule || 'webhook' in rule)) found.push('notify');
  const { end, allowReboot } = (panic ?? {}) as { end?: unknown; allowReboot?: boolean };
  if (typeof end === 'object' && end !== null && 'command' in end) found.push('panic.end.command');
  if (end === 'reboot' || allowReboot === true) found.push('panic.allow_reboot');
  return found;
}

/** Rules that nobody outside lifts. */
function pinned({ rules = [] }: PolicyInput): readonly RuleInput[] {
  return rules.filter(({ local }) => local === 'never');
}

/**
 * A policy of the fleet as it may be in force here. Throws BadnessError `EFORBIDDEN` for one that wants what the machine's file does not
 * allow, `EDOMAIN` for one that has no table for its domain.
 */
export function limitPolicy(remote: PolicyFile, local: LocalSide): Limited {
  if (Object.keys(remote.given.control).length > 0 || remote.given.fleet !== undefined) {
    throw new BadnessError('EFORBIDDEN', "control and fleet are settings of a machine's own file; leave them out");
  }
  const { domain: _, ...given } = policyFor(remote, local.input);
  const programs = local.allow.includes('programs') ? [] : programsIn(given);
  if (programs.length > 0) {
    throw new BadnessError(
      'EFORBIDDEN',
      `${programs.join(', ')}: programs, addresses and reboots need fleet.allow = ["programs"] in the machine's own file`,
    );
  }
  const mayEnforce = local.allow.includes('enforce') || local.input.enforce === true;
  const isHeld = given.enforce === true && !mayEnforce;
  const domain = local.input.domain === undefined ? {} : { domain: local.input.domain };
  const input = {
    ...given,
    ...domain,
    ...(isHeld ? { enforce: false } : {}),
    // Last: numbers of the policy's own rules stay, and never counts wherever it stands.
    rules: [...(given.rules ?? []), ...pinned(local.input)],
  };
  const held = 'enforce = true is not taken over: fleet.allow of this machine does not have "enforce"';
  return { input, notes: isHeld ? [held] : [] };
}
