/** Stage: report. What the rules of a policy did to a task, in words. */
import type { RuleHit, RulesReport } from '../policy/index.js';
import { counted, grouped } from './quantities.js';

/** `rule 2: times 3/2, 150,000 points` */
export function hitLines(hits: readonly RuleHit[] = []): string[] {
  return hits.map(({ rule, effect, points, assumed }) => {
    const after = points === null ? '' : `, ${grouped(points)} points`;
    return `rule ${rule}: ${effect}${after}${assumed ? ' (assumed: nobody could look whether it matches)' : ''}`;
  });
}

/** Of what could not be looked at. */
export function sparedLines(rules: RulesReport | null | undefined): string[] {
  if (!rules?.spared) return [];
  return [`rules that could not be looked at count in favour of the task: ${counted(rules.spared, 'task')}`];
}
