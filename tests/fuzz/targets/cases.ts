/** Scenario and case files: an error by line, or what they say. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parseCases, parseScenario } from '../../../src/simulate/index.js';
import { inputOf, refusal, type Target, textOf } from '../target.js';

const folder = (path: string) => readdirSync(path).map((name) => inputOf(readFileSync(`${path}/${name}`, 'utf8')));

const WORDS = [
  ...[
    'version = 1\n',
    '[machine]\n',
    '[[task]]\n',
    '[[case]]\n',
    'memory = "8GiB"\n',
    'growth = "30MiB"\n',
    'count = 4\n',
    'restarts = "1s"\n',
    'expect.victim = "a"\n',
  ],
  ...[
    '__proto__ = 1\n',
    '[__proto__]\n',
    '[constructor]\n',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'''",
    '=',
    '.',
    '#',
    '\n',
    'nan',
    'inf',
    '1e400',
    '-1',
    '0B',
    '9e15',
  ],
  ...[
    '"8192TiB"',
    '"1000000d"',
    '[[0, "0B"], [1, "1B"]]',
    'count = 100000000\n',
    'name = "\\u001b"\n',
    '\xff',
    'curve = ',
    'at = "5s"\n',
  ],
];

function fileTarget(
  name: string,
  seeds: readonly string[],
  parse: (text: string) => Promise<object>,
  code: string,
): Target {
  return {
    name,
    seeds,
    words: WORDS.map(inputOf),
    async check(input) {
      try {
        const parsed = await parse(textOf(input));
        assert.ok(Object.isFrozen(parsed) || Array.isArray(parsed));
        return Object.keys(parsed).length;
      } catch (error) {
        return refusal(error, code);
      } finally {
        assert.deepEqual(Object.keys(Object.prototype), [], 'Object.prototype was written to');
      }
    },
  };
}

export const scenarioFile = fileTarget('scenario', folder('scenarios'), parseScenario, 'ESCENARIO');
export const caseFile = fileTarget(
  'cases',
  folder('examples/policy-tests/cases'),
  async (text) => parseCases(text),
  'ECASES',
);
