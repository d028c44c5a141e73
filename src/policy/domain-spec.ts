/** Stage: selection. What a policy calls a domain: the thing that is short of memory, and whose members may die for it. */
import { PID_MAX } from '../../assembly/layout.js';
import { type Check, either, integer, object, oneOf, text } from './checks.js';
import { size } from './threshold.js';

/**
 * `auto`: what fits the place, printed at start. `system`: the whole machine. `memcg`: path of a memory cgroup below its
 * mount. `numaNode`: 0 … 1023. `descendantsOf`: a process (tgid) and all that come from it, with a budget in bytes.
 * `registered`: the tasks that a program registered under this name, with a budget in bytes.
 */
export type DomainSpec =
  | 'auto'
  | 'system'
  | { readonly memcg: string }
  | { readonly numaNode: number }
  | { readonly descendantsOf: number; readonly budget: number }
  | { readonly registered: string; readonly budget: number };

/** As DomainSpec, where a budget may be written `4GiB`. */
export type DomainInput =
  | DomainSpec
  | { readonly descendantsOf: number; readonly budget: number | string }
  | { readonly registered: string; readonly budget: number | string };

const NODE_MAX = 1023;
const cgroupPath = text(
  /^\/$|^(\/(?!\.{1,2}(\/|$))[^/\0\n]+)+$/,
  `the absolute path of a cgroup, such as '/user.slice', without '.', '..' or empty parts`,
);
const name = text(/^[A-Za-z][\w.-]{0,63}$/, 'a name: a letter, then up to 63 letters, digits, _ . -');

export const domainSpec: Check<DomainSpec> = either<'auto' | 'system', DomainSpec>(oneOf(['auto', 'system']), {
  memcg: object<{ memcg: string }>({ memcg: [cgroupPath] }),
  numaNode: object<{ numaNode: number }>({ numaNode: [integer(0, NODE_MAX)] }),
  descendantsOf: object<{ descendantsOf: number; budget: number }>({
    descendantsOf: [integer(1, PID_MAX)],
    budget: [size],
  }),
  registered: object<{ registered: string; budget: number }>({ registered: [name], budget: [size] }),
});
