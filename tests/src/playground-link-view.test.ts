/** The address of the page is that of what is shown last, however long what was shown before takes to be packed. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { LinkState } from '../../src/playground/link.js';
import { LinkView } from '../../src/playground/link-view.js';
import { settle } from './support/manual-clock.js';

class Element {
  textContent = '';
  click = () => {};
  addEventListener(_: string, hear: () => void) {
    this.click = hear;
  }
}

/** What the view needs of a page. */
function openPage(t: TestContext) {
  const button = new Element();
  const addresses: string[] = [];
  let put = () => {};
  const parts = {
    HTMLElement: Element,
    HTMLButtonElement: Element,
    document: { getElementById: (id: string) => (id === 'copy-link' ? button : new Element()) },
    location: { href: '' },
    navigator: { clipboard: { writeText: async () => {} } },
    history: {
      replaceState(_: unknown, __: string, address: string) {
        addresses.push(address);
        put();
      },
    },
  };
  for (const [name, value] of Object.entries(parts)) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => Reflect.deleteProperty(globalThis, name));
  }
  const both = new Promise<void>((resolve) => {
    put = () => addresses.length === 2 && resolve();
  });
  return { button, addresses, both };
}

test('playground link: an older state that takes longer does not come last', async (t) => {
  const { button, addresses, both } = openPage(t);
  const plain: LinkState = { source: null, moment: 7, scoring: null, adjustments: [], selected: null, policy: '' };
  const long: LinkState = { ...plain, moment: 6, source: { kind: 'bytes', name: 'long', bytes: randomBytes(1 << 20) } };
  let state = long;
  new LinkView(() => state);
  button.click();
  state = plain;
  button.click();
  await both;
  await settle();
  assert.match(addresses.at(-1)!, /at=7/);
});
