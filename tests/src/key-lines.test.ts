/** Where each key of a TOML text stands. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyLines } from '../../src/policy/key-lines.js';
import fc from './support/fast-check.js';

const lines = (...text: string[]) => text.join('\n');

describe('key lines', () => {
  const found = (text: string) => Object.fromEntries(keyLines(text));

  test('tables, dotted keys, arrays of tables and arrays over several lines', () => {
    const text = lines(
      'a.b = 1 # c = 2',
      '[t]',
      '"x y".z = [',
      ' "]", # [',
      '',
      " '''",
      "q'''",
      ', {k = 1}]',
      '[[r]]',
      '[r.s]',
      'u = 1',
      '[[r]]',
    );
    assert.deepEqual(found(text), {
      ...{ a: 1, 'a.b': 1, t: 2, 't.x y': 3, 't.x y.z': 3, 't.x y.z[0]': 4, 't.x y.z[1]': 6, 't.x y.z[2]': 8 },
      ...{ 't.x y.z[2].k': 8, r: 9, 'r[0]': 9, 'r[0].s': 10, 'r[0].s.u': 11, 'r[1]': 12 },
    });
  });

  test('strings hold quotes, escapes and ends of lines, and numbers hold anything', () => {
    const text = lines(
      'a = "\\"\\n[x]"',
      'b = """',
      '"""" ',
      "c = 'a\"'",
      'd = 1979-05-27 07:32:00',
      'e = [ -inf, 0x1F, ]',
      'f = {}',
      'g=1',
    );
    assert.deepEqual(found(text), { a: 1, b: 2, c: 4, d: 5, e: 6, 'e[0]': 6, 'e[1]': 6, f: 7, g: 8 });
  });

  test('every path of a random document has its line', () => {
    const key = fc.stringMatching(/^[a-z_]{1,3}$/);
    const leaf = fc.oneof(
      fc.boolean(),
      fc.integer(),
      fc.string().filter((text) => !/\p{Cs}|\x7f/u.test(text)),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.dictionary(key, fc.oneof({ maxDepth: 3 }, leaf, fc.array(leaf), tie('tree')), { maxKeys: 4 }),
    }));
    /** A value on lines of its own choosing; `expect` gets where each path came to stand. */
    const write = (value: unknown, path: string, out: string[], expect: Map<string, number>): void => {
      expect.set(path, out.length);
      if (Array.isArray(value)) {
        out[out.length - 1] += '[';
        for (const [index, item] of value.entries()) {
          out.push(' ');
          write(item, `${path}[${index}]`, out, expect);
          out[out.length - 1] += ', # ]';
        }
        out[out.length - 1] += value.length > 0 ? '\n]' : ']';
        if (value.length > 0) out.push(...out.pop()!.split('\n'));
      } else if (typeof value === 'object' && value !== null) {
        out[out.length - 1] += '{ ';
        for (const [index, [name, item]] of Object.entries(value).entries()) {
          out[out.length - 1] += `${index > 0 ? ', ' : ''}${name} = `;
          write(item, `${path}.${name}`, out, expect);
        }
        out[out.length - 1] += ' }';
      } else out[out.length - 1] += JSON.stringify(value);
    };
    fc.assert(
      fc.property(tree, (document) => {
        const out: string[] = [];
        const expect = new Map<string, number>();
        for (const [name, value] of Object.entries(document as object)) {
          out.push(`${name} = `);
          write(value, name, out, expect);
        }
        assert.deepEqual(found(out.join('\n')), Object.fromEntries(expect));
      }),
    );
  });
});
