// A guard of registered tenants with a budget of 1,000 MiB, on a fake clock.
import type { TestContext } from 'node:test';
import type { GuardEvent } from '../../../src/guard/guard-events.js';
import { definePolicy, type PolicyInput } from '../../../src/policy/index.js';
import { guardRegistered, TaskRegistry, type TaskSpec } from '../../../src/registered/index.js';
import { ManualClock } from './manual-clock.js';

export const MIB = 2 ** 20;
const BUDGET_MIB = 1000;
export const DOMAIN = { registered: 'tenants', budget: BUDGET_MIB * MIB };
export const never = new Promise<never>(() => {});

export interface Tenant {
  mib: number;
  readonly asked: ('soft' | 'hard')[];
  readonly task: ReturnType<TaskRegistry['register']>;
}

/** A guard of 1,000 MiB that enforces; thresholds at 100 MiB and 50 MiB available. */
export async function tenantScene(t: TestContext, input: PolicyInput = {}) {
  const clock = new ManualClock();
  const registry = new TaskRegistry({ clock });
  const events: GuardEvent[] = [];
  const policy = definePolicy({ enforce: true, domain: DOMAIN, ...input });
  const guard = await guardRegistered({ policy, registry, clock, tell: (event) => events.push(event) });
  t.after(() => guard.close());
  /** A tenant that gives everything when it is asked, unless `shed` says otherwise. */
  const add = (
    name: string,
    mib: number,
    shed?: (tenant: Tenant, hard: boolean, neededBytes: number) => unknown,
    more: Partial<TaskSpec> = {},
  ) => {
    const tenant: Tenant = {
      mib,
      asked: [],
      task: registry.register({
        name,
        memory: () => tenant.mib * MIB,
        shed: ({ hard, neededBytes }) => {
          tenant.asked.push(hard ? 'hard' : 'soft');
          if (shed) return shed(tenant, hard, neededBytes) as never;
          tenant.mib = 0;
        },
        ...more,
      }),
    };
    return tenant;
  };
  const rounds = () => events.filter((event) => event.kind === 'round').map(({ report }) => report);
  return { clock, registry, guard, events, add, rounds };
}
