/** The notifier chain against a model of a few lines: random registrations, removals and walks, inside walks too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotifierChain } from '../../src/guard/notifier-chain.js';
import { WARN } from './support/chain.js';
import fc, { RUNS } from './support/fast-check.js';
import { ManualClock } from './support/manual-clock.js';

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
type Name = (typeof NAMES)[number];

/** What is done to a chain, from outside or by a notifier while it is called. */
type Change =
  | { readonly do: 'register'; readonly name: Name; readonly priority: number; readonly script: Script }
  | { readonly do: 'unregister'; readonly name: Name }
  | {
      readonly do: 'replace';
      readonly name: Name;
      readonly by: Name;
      readonly priority: number;
      readonly script: Script;
    }
  | { readonly do: 'walk' };

/** What a notifier does when it is called. */
interface Script {
  readonly changes: readonly Change[];
  readonly end: 'answer' | 'stop' | 'throw';
}

interface Registered {
  readonly name: Name;
  readonly priority: number;
  readonly script: Script;
}

/** The rules as one would tell them: a sorted list; a walk goes through a copy and asks the list who is still in it. */
class Model {
  list: Registered[] = [];
  readonly log: string[] = [];
  #walking = false;

  apply(change: Change): void {
    if (change.do === 'walk') this.#walk();
    else this.log.push(this.#change(change));
  }

  #change(change: Exclude<Change, { do: 'walk' }>): string {
    const present = this.list.find(({ name }) => name === change.name);
    if (change.do === 'unregister') {
      this.list = this.list.filter((one) => one !== present);
      return present ? 'ok' : 'ENOENT';
    }
    const name = change.do === 'replace' ? change.by : change.name;
    if (change.do === 'replace' && !present) return 'ENOENT';
    const others = change.do === 'replace' ? this.list.filter((one) => one !== present) : this.list;
    if (others.some((one) => one.name === name)) return 'EEXIST';
    const { priority, script } = change;
    // Array.prototype.sort is stable, so ties stay in the order of registration.
    this.list = [...others, { name, priority, script }].sort((x, y) => y.priority - x.priority);
    return 'ok';
  }

  #walk(): void {
    if (this.#walking) return void this.log.push('EDEADLK');
    this.#walking = true;
    for (const one of this.list) {
      if (!this.list.includes(one)) continue;
      this.log.push(`called ${one.name}`);
      for (const change of one.script.changes) this.apply(change);
      if (one.script.end === 'stop') break;
    }
    this.#walking = false;
    this.log.push('walked');
  }
}

class Real {
  readonly chain = new NotifierChain({ clock: new ManualClock() });
  readonly log: string[] = [];

  async apply(change: Change): Promise<void> {
    try {
      if (change.do === 'unregister') this.chain.unregister(change.name);
      else if (change.do === 'register') this.chain.register(this.#notifier(change.name, change));
      else if (change.do === 'replace') this.chain.replace(change.name, this.#notifier(change.by, change));
      else await this.chain.walk('warn', WARN);
      this.log.push(change.do === 'walk' ? 'walked' : 'ok');
    } catch (thrown) {
      this.log.push((thrown as { code: string }).code);
    }
  }

  #notifier(name: Name, { priority, script }: { priority: number; script: Script }) {
    const warn = async () => {
      this.log.push(`called ${name}`);
      for (const change of script.changes) await this.apply(change);
      if (script.end === 'throw') throw new Error(name);
      return { stop: script.end === 'stop' };
    };
    return { name, priority, warn };
  }
}

const name = fc.constantFrom(...NAMES);
const priority = fc.integer({ min: -1, max: 1 });
const end = fc.constantFrom('answer', 'answer', 'answer', 'stop', 'throw' as const) as fc.Arbitrary<Script['end']>;

function change(script: fc.Arbitrary<Script>): fc.Arbitrary<Change> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('register' as const), name, priority, script }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('unregister' as const), name }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('replace' as const), name, by: name, priority, script }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('walk' as const) }) },
  );
}

const still: fc.Arbitrary<Script> = fc.record({ changes: fc.constant([]), end });
const script: fc.Arbitrary<Script> = fc.record({ changes: fc.array(change(still), { maxLength: 3 }), end });

test('notifier chain: any sequence of changes and walks calls whom the model calls, in that order', async () => {
  const kinds = new Set<string>();
  const sequences = fc.array(change(script), { minLength: 5, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(sequences, async (changes) => {
      const model = new Model();
      const real = new Real();
      for (const one of changes) {
        model.apply(one);
        await real.apply(one);
      }
      assert.deepEqual(real.log, model.log);
      assert.deepEqual(
        real.chain.list().map((state) => state.name),
        model.list.map((one) => one.name),
      );
      for (const line of model.log) kinds.add(line.split(' ')[0]!);
    }),
    { numRuns: RUNS * 5 },
  );
  assert.deepEqual([...kinds].sort(), ['EDEADLK', 'EEXIST', 'ENOENT', 'called', 'ok', 'walked'], 'all were tried');
});
