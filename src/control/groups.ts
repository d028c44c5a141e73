/** Stage: none (facts). A group by its name, as /etc/group has it: Node has no function for that. */
import { readFileSync } from 'node:fs';

const GID_MAX = 4_294_967_294;

/** Throws RangeError for a name that /etc/group does not have; groups of other sources are given by number. */
export function groupNamed(group: string | number, file = '/etc/group'): number {
  const text = String(group);
  if (/^\d{1,10}$/.test(text) && Number(text) <= GID_MAX) return Number(text);
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${text}:`));
  const gid = line?.split(':')[2];
  if (gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
  throw new RangeError(`group must be a number or a name of ${file}, got ${JSON.stringify(group)}`);
}
