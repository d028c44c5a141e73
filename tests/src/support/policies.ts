/** Random policies, in the form of the input: every key that there is, with whatever it may hold. */

import { PHASES, type PolicyInput } from '../../../src/policy/index.js';
import { SCHEMES } from '../../../src/schemes.js';
import fc from './fast-check.js';

/** Every part may be missing. */
function some<T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(model, { requiredKeys: [] });
}

const word = fc.stringMatching(/^[A-Za-z][a-z]{0,8}$/);
const odd = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((text) => !/[\0/]|\p{Cs}/u.test(text));
const ms = fc.nat(3_600_000);
const size = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 53 }),
  fc.constantFrom('1B', '1.5KiB', '512MiB', '4GiB', '8192TiB'),
);
const share = fc.oneof(fc.constantFrom(0, 1, 2.5, 10, 33.3, 1e-9), fc.double({ min: 0, max: 100, noNaN: true }));
const bytes = fc.oneof(fc.constantFrom(0, 1, 2 ** 30, 2 ** 53), fc.nat(2 ** 40));
const threshold = fc.oneof(
  fc.constantFrom('10%', '0.000000001%', '512MiB', '0B'),
  share.map((percent) => ({ percent })),
  bytes.map((of) => ({ bytes: of })),
  fc.record({ percent: share, bytes }),
);
const module = fc.record({
  module: fc.constantFrom('file:///a/b.js', 'https://x/"'),
  export: fc.constantFrom('go', '$ä'),
});
const glob = fc.oneof(word, fc.constantFrom('*', 'gnome-*', 'a?c', '"x"', '\\', 'ä\t'));
const pattern = fc.oneof(glob, fc.constantFrom('/^cc1(plus)?$/', '/"\\d+\\\\/', '/(?i)x/'));
const path = fc.constantFrom('/usr/bin/*', '*/bin/x', '/^.opt./', '/');

/** In the order that levels must have, whatever the total: those that are not random are the highest or the lowest. */
const both = (of: string) => ({ available: of, swapFree: of });
const level = some({ available: threshold, swapFree: threshold });
const thresholds = fc.oneof(
  level.map((term) => ({ warn: both('100%'), term: { ...both('100%'), ...term }, kill: both('0%') })),
  level.map((warn) => ({ warn: { ...both('100%'), ...warn }, term: both('0%'), kill: both('0%') })),
  level.map((term) => ({ term })),
);

const domain = fc.oneof(
  fc.constantFrom('auto', 'system'),
  fc.record({ memcg: fc.constantFrom('/', '/a b/"c"', '/x.slice') }),
  fc.record({ numaNode: fc.nat(1023) }),
  fc.record({ descendantsOf: fc.integer({ min: 1, max: 4_194_304 }), budget: size }),
  fc.record({ registered: word, budget: size }),
);

const span = fc.oneof(fc.nat(2 ** 31 - 1), fc.constantFrom('0s', '90s', '10min', '7d'));
const conditions = some({
  comm: pattern,
  exe: path,
  cmdline: fc.oneof(pattern, odd),
  user: fc.oneof(word, fc.nat(2 ** 32 - 1)),
  cgroup: path,
  ancestor: pattern,
  age: fc.oneof(some({ older: span }), some({ younger: fc.constantFrom(1, '1d') })).filter(hasKey),
  memory: fc.oneof(some({ more: threshold }), some({ less: threshold })).filter(hasKey),
}).filter(hasKey);

function hasKey(value: object): boolean {
  return Object.keys(value).length > 0;
}

const term = fc.integer({ min: 1, max: 1000 });
const effects = fc.oneof(
  fc.constantFrom({ never: true }, { class: 'last' }, { times: 4 }),
  fc.tuple(term, term).map(([times, over]) => ({ times: `${times}/${over}` })),
  size.map((minus) => ({ minus })),
  fc.record({ plus: size, least: threshold }),
  fc.record({ class: fc.constant('first'), least: threshold }),
  size.map((plus) => ({ plus })),
);
const rule = fc.tuple(conditions, effects).map(([whom, what]) => ({ ...whom, ...what }));

const notify = fc
  .tuple(
    fc.constantFrom('warn', 'before_kill', 'after_kill'),
    fc.oneof(
      fc.array(odd, { minLength: 1, maxLength: 3 }).map((command) => ({ command })),
      fc.constant({ webhook: 'http://[::1]:9/x?"' }),
      fc.constant({ desktop: true }),
    ),
    some({ limitMs: fc.integer({ min: 1, max: 3_600_000 }) }),
  )
  .map(([on, way, rest]) => ({ on, ...way, ...rest }));

const limit = some({ eachMs: fc.nat(86_400_000), wholeMs: fc.nat(86_400_000) });
const limits = some(Object.fromEntries(PHASES.filter((phase) => phase !== 'react').map((phase) => [phase, limit])));

export const policyInputs: fc.Arbitrary<PolicyInput> = some({
  enforce: fc.boolean(),
  domain,
  scheme: fc.oneof(fc.constantFrom(...SCHEMES), module),
  parameters: some({
    maxDiscount: fc.integer({ min: 1, max: 2 ** 31 }),
    age: fc.constantFrom('spare-old', 'spare-young', 'ignore'),
    adj: fc.constantFrom('never-only', 'kernel'),
  }),
  thresholds,
  pressure: some({
    mode: fc.constantFrom('any', 'all'),
    forMs: fc.nat(600_000),
    psi: fc.oneof(
      fc.constant(null),
      some({
        kind: fc.constantFrom('some', 'full'),
        average: fc.constantFrom('avg10', 'avg300'),
        warn: fc.oneof(fc.constant(null), share),
        term: share,
        kill: share,
        trigger: fc.oneof(
          fc.constant(null),
          fc.record({ stallMs: fc.integer({ min: 1, max: 500 }), windowMs: fc.integer({ min: 500, max: 10_000 }) }),
        ),
      }),
    ),
  }),
  gate: fc.oneof(
    fc.constantFrom('level', 'rate'),
    some({ calls: fc.integer({ min: 1, max: 2 ** 31 - 1 }), warmUpMs: ms, windowMs: ms, cooldownMs: ms }).map(
      (rate) => ({
        kind: 'rate',
        ...rate,
      }),
    ),
  ),
  reaction: fc.oneof(fc.constantFrom('kill', 'panic', 'none'), module),
  noVictim: fc.oneof(fc.constantFrom('panic', 'none'), module),
  panic: some({
    handOffMs: ms,
    delayS: fc.integer({ min: -1, max: 86_400 }),
    end: fc.oneof(
      fc.record({ exit: fc.nat(255) }),
      fc.array(odd, { minLength: 1 }).map((command) => ({ command })),
    ),
    allowReboot: fc.boolean(),
  }),
  escalation: some({ rawioMs: ms, termMs: fc.nat(9000), stuckMs: fc.nat(9000) }),
  limits,
  never: fc.array(glob, { maxLength: 30 }),
  rules: fc.array(rule, { maxLength: 4 }),
  notify: fc.array(notify, { maxLength: 3 }),
}) as fc.Arbitrary<PolicyInput>;
