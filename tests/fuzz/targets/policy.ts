/** Policy files, and files of earlyoom that become some: an error by line or a policy, which written down is the same policy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { importEarlyoom } from '../../../src/cli/earlyoom.js';
import { CommandError } from '../../../src/cli/exit.js';
import { definePolicy, parsePolicy, policyToToml } from '../../../src/policy/index.js';
import { policyInputs } from '../../src/support/policies.js';
import { inputOf, refusal, shapeOf, type Target, textOf } from '../target.js';

const KEYS = [
  ...[
    'version = 1\n',
    '[[rule]]\n',
    '[[domain]]\n',
    '[thresholds]\n',
    '[control]\n',
    '[[notify]]\n',
    'of = "system"\n',
    'comm = "a*"\n',
  ],
  ...[
    'never = ["x"]\n',
    'class = "last"\n',
    'class = "first"\n',
    'times = "1/10"\n',
    'exe = "/^a/"\n',
    'cmdline = "/(a+)+$/"\n',
    'user = "x"\n',
  ],
  ...[
    'age.older = "1h"\n',
    'memory.more = "10%"\n',
    'least = "1MiB"\n',
    'plus = "1GiB"\n',
    'term.available = "10%"\n',
    'on = "warn"\n',
  ],
];
/** What gets at the prototype of an object that is not careful, and what TOML itself may trip over. */
const TRAPS = [
  ...[
    '__proto__ = 1\n',
    '[__proto__]\n',
    '[constructor.prototype]\nx = 1\n',
    '"__proto__".a = 1\n',
    'toString = 1\n',
    '{ __proto__ = 1 }',
  ],
  ...[
    '[',
    ']',
    '{',
    '}',
    '"""',
    "'''",
    '"',
    "'",
    '\\u0000',
    '\\',
    '=',
    '.',
    ',',
    '#',
    '\n',
    'inf',
    'nan',
    '-',
    '1e999',
    '0x',
    '1979-05-27',
    'true',
  ],
  ...[
    '\xe2\x80\xae',
    '\x1b[2J',
    '\xff',
    '100%',
    '0%',
    '-1',
    '8192TiB',
    '1000d',
    'a.a.a.a.a.a.a.a',
    '[[',
    ' = [[[[[[[[',
  ],
];

const EXAMPLES = [
  readFileSync('examples/policy-tests/badness.toml', 'utf8'),
  'version = 1\nscheme = "badness"\nenforce = true\nnever = ["sshd", "gnome-*"]\n\n[thresholds]\nterm.available = "10%"\nkill.available = "5%"\n',
  'version = 1\n[[rule]]\ncomm = "/^cc1(plus)?$/"\nage.younger = "1h"\nclass = "first"\n[[rule]]\ncgroup = "/system.slice/*"\nnever = true\n',
  'version = 1\n[[domain]]\nof = "system"\n[[domain]]\nof = { cgroup = "/sys/fs/cgroup/a" }\nthresholds.kill.available = "1%"\n[control]\nself = true\n',
  'version = 1\n[[notify]]\non = "after_kill"\ncommand = ["/usr/bin/logger", "{comm}"]\n[limits]\nwarn.ms = 100\n[panic]\nafter = 3\n',
];

const effective = policyInputs.map((input) => {
  const policy = definePolicy(input);
  const control = {} as never;
  try {
    return inputOf(policyToToml({ policies: [policy], control, given: { policies: [input], control: {} } }));
  } catch {
    // Half a character, which no file can hold.
    return 'version = 1\n';
  }
});

export const policy: Target = {
  name: 'policy',
  seeds: EXAMPLES.map(inputOf),
  words: [...KEYS, ...TRAPS].map(inputOf),
  shaped: effective,
  async check(input) {
    const text = textOf(input);
    try {
      const file = await parsePolicy(text);
      const again = await parsePolicy(policyToToml(file));
      assert.deepEqual(again.policies, file.policies);
      assert.deepEqual(again.control, file.control);
      return `${file.policies.length} ${file.policies[0]!.rules.length} ${file.policies[0]!.notify.length}`;
    } catch (error) {
      return refusal(error, 'EPOLICY');
    } finally {
      assert.deepEqual(Object.keys(Object.prototype), [], 'Object.prototype was written to');
    }
  },
};

const FLAGS = [
  '-m 10',
  '-s 5,2',
  '-M 1000',
  '-r 60',
  '-n',
  '-g',
  '--avoid ',
  '--prefer ',
  '--ignore ',
  '-N /bin/x',
  '--sort-by-rss',
  '--dryrun',
  '-p',
  '-i',
];

export const environment: Target = {
  name: 'earlyoom',
  seeds: [
    'EARLYOOM_ARGS="-r 3600 -m 5 --avoid \'(^|/)(init|Xorg|ssh)$\'"\n',
    '# a comment\nEARLYOOM_ARGS="-s 90 -N /usr/bin/notify --prefer \'^(Web Content|cc1)$\'"\n',
  ],
  words: [
    ...FLAGS,
    'EARLYOOM_ARGS=',
    '"',
    "'",
    '\\',
    '\n',
    '\\\n',
    '#',
    ';',
    '$',
    '`',
    '^(a|b)$',
    '[[:alpha:]]',
    '\\1',
    '{2,3}',
    '(',
    ')',
    '\x1b',
    '\xe2\x80\xae',
  ],
  async check(input) {
    try {
      const { toml, unequal } = await importEarlyoom(textOf(input), '/etc/default/earlyoom');
      const { policies } = await parsePolicy(toml);
      return `${policies[0]!.rules.length} ${unequal.length}`;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return shapeOf(error.message);
    }
  },
};
