/** The example of a page under docs/, run as it is written, with the names it leaves open given by the test. */
import assert from 'node:assert/strict';

type Values = Record<string, unknown>;

/**
 * Runs the first `js` block of `page`. `entries` holds the modules it may import from, `given` the names that it does not
 * declare; those go before what is imported. `ending` is put behind it.
 */
export async function runExample(
  page: string,
  entries: Record<string, object>,
  given: Values,
  ending = '',
): Promise<void> {
  const code = /```js\n([\s\S]*?)```/.exec(page)![1]!;
  const imported: Values = {};
  const body = code.replace(/^import \{(.*)\} from '(.*)';$/gm, (_, names: string, entry: string) => {
    for (const name of names.split(',').map((one) => one.trim())) {
      const value = (entries[entry] as Values | undefined)?.[name];
      assert.ok(value, `${entry} exports ${name}`);
      imported[name] = value;
    }
    return '';
  });
  const scope = { ...imported, ...given };
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  await new AsyncFunction(...Object.keys(scope), `${body}\n${ending}`)(...Object.values(scope));
}
