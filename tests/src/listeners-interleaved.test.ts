/** What threads do to each other at the worst moment, one moment after the other: an operation within every step of another. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { REGISTRATIONS } from '../../assembly/layout.js';
import { closeDomain, openDomain } from '../../src/domains.js';
import type { BadnessError } from '../../src/errors.js';
import { Listener, listen } from '../../src/listeners.js';
import { releaseBuilds } from './support/builds.js';
import { openGuarded, SHORT } from './support/guarded-domains.js';
import { interleave } from './support/interleave.js';

const shared = releaseBuilds.find((build) => build.name === 'shared')!;
const { memory } = shared.open(1);

/** A new tree each time, in the same memory: a shared one cannot be given back. */
function open() {
  new Uint8Array(memory.buffer).fill(0, 0, 65_536);
  return openGuarded(memory);
}

/** Tells `run` of every step until one comes too late; it answers how many there were. */
function everyStep(run: (step: number) => number): void {
  let step = 0;
  while (run(step) > step) step++;
  assert.ok(step > 3, 'it has steps');
}

function registerIfOpen(listener: Listener, domain: number): boolean {
  try {
    listener.register(domain);
    return true;
  } catch (error) {
    assert.equal((error as BadnessError).code, 'ENODEV');
    return false;
  }
}

describe('listeners: one operation within every step of another', () => {
  test('an event that begins while a listener registers signals once or twice, never not', () => {
    const seen = new Set<number>();
    everyStep((step) => {
      const { engine, b, ofA } = open();
      const listener = new Listener(engine);
      const made = interleave(() => listener.register(b), [() => ofA.begin(SHORT)], [step]);
      if (made > step) seen.add(listener.read().count);
      return made;
    });
    assert.deepEqual([...seen].sort(), [1, 2]);
  });

  test('nor when it is over before the call has returned, unless it was over before the registration was there', () => {
    const seen = new Set<string>();
    everyStep((begins) => {
      let made = 0;
      for (let ends = begins; ends === begins || ends < made; ends++) {
        const { engine, b, ofA } = open();
        const listener = new Listener(engine);
        let there = true;
        const end = () => {
          there = new BigInt64Array(memory.buffer, REGISTRATIONS, 1)[0] !== 0n;
          ofA.recovered();
        };
        made = interleave(() => listener.register(b), [() => ofA.begin(SHORT), end], [begins, ends]);
        if (begins >= made) continue;
        const { count, recovered } = listener.read();
        assert.ok(count > 0 || !there, `steps ${begins}, ${ends}`);
        if (ends < made) assert.equal(recovered > 0, count > 0, `steps ${begins}, ${ends}: the end is told too`);
        seen.add(`${count} ${recovered}`);
      }
      return made;
    });
    assert.deepEqual([...seen].sort(), ['0 0', '1 0', '1 1', '1 2', '2 0', '2 1', '2 2']);
  });

  test('an event that ends while a listener registers: told, or over, and told to be over', () => {
    const seen = new Set<string>();
    everyStep((step) => {
      const { engine, b, ofA } = open();
      ofA.begin(SHORT);
      const listener = new Listener(engine);
      const made = interleave(() => listener.register(b), [() => ofA.recovered()], [step]);
      const { count, recovered } = listener.read();
      if (made > step) seen.add(`${count} ${recovered}`);
      return made;
    });
    assert.deepEqual([...seen].sort(), ['0 0', '1 1', '1 2']);
  });

  test('a listener that registers while an event is being ended: told both, or, once it is over, at most its end', () => {
    const seen = new Set<string>();
    everyStep((step) => {
      const { engine, b, ofA } = open();
      ofA.begin(SHORT);
      const listener = new Listener(engine);
      let under = true;
      const register = () => {
        under = ofA.underOom;
        listener.register(b);
      };
      const made = interleave(() => ofA.recovered(), [register], [step]);
      const { count, recovered } = listener.read();
      if (made > step) seen.add(`${under} ${count} ${recovered}`);
      return made;
    });
    assert.deepEqual([...seen].sort(), ['false 0 0', 'false 0 1', 'true 1 1']);
  });

  test('nothing is added once unregister has returned, however far the signal had come', () => {
    const seen = new Set<number>();
    everyStep((step) => {
      const { engine, a, b, ofA } = open();
      const listener = listen(engine, b);
      listener.register(a);
      let count = Number.NaN;
      const unregister = () => {
        listener.unregister();
        count = listener.peek().count;
      };
      const made = interleave(() => ofA.begin(SHORT), [unregister], [step]);
      if (made > step) {
        assert.equal(listener.peek().count, count, `step ${step}`);
        seen.add(count);
      }
      return made;
    });
    assert.deepEqual([...seen].sort(), [0, 1, 2]);
  });

  test('nor to whoever got the cell and the registration next', () => {
    everyStep((step) => {
      const { engine, b, c, ofA } = open();
      const listener = listen(engine, b);
      let next: Listener | undefined;
      const handOver = () => {
        listener.close();
        next = listen(engine, c);
      };
      const made = interleave(() => ofA.begin(SHORT), [handOver], [step]);
      if (made > step) assert.deepEqual(next!.peek(), { count: 0, recovered: 0 }, `step ${step}`);
      return made;
    });
  });

  test('a signal is neither lost nor doubled when it is read, or another is added, while it is being added', () => {
    everyStep((step) => {
      const { engine, b, ofA, ofSystem } = open();
      const listener = listen(engine, b);
      let before = 0;
      const inner = () => {
        before = listener.read().count;
        ofSystem.begin(SHORT);
      };
      const made = interleave(() => ofA.begin(SHORT), [inner], [step]);
      if (made > step) assert.equal(before + listener.read().count, 2, `step ${step}`);
      return made;
    });
  });

  test('nor while it is being read', () => {
    everyStep((step) => {
      const { engine, b, ofA } = open();
      const listener = listen(engine, b);
      let read = 0;
      const outer = () => {
        read = listener.read().count + listener.read().count;
      };
      const made = interleave(outer, [() => ofA.begin(SHORT)], [step]);
      if (made > step) assert.equal(read + listener.read().count, 1, `step ${step}`);
      return made;
    });
  });

  test('a registration on a domain that is being closed is refused, or signalled and gone', () => {
    const seen = new Set<string>();
    everyStep((step) => {
      const { engine, b } = open();
      const listener = new Listener(engine);
      const made = interleave(() => registerIfOpen(listener, b), [() => closeDomain(engine, b)], [step]);
      if (made > step) {
        const end = `${listener.read().count} signalled, gone ${listener.gone}`;
        assert.ok(['0 signalled, gone ', `1 signalled, gone ${b}`].includes(end), `step ${step}: ${end}`);
        seen.add(end);
      }
      return made;
    });
    assert.equal(seen.size, 2);
  });

  test('when it is closed and its number given to another meanwhile: refused or gone, never left in the other', () => {
    const seen = new Set<string>();
    everyStep((step) => {
      const { engine, b, c, ofA, ofC } = open();
      ofC.begin(SHORT);
      const listener = new Listener(engine);
      const reopen = () => {
        closeDomain(engine, b);
        assert.equal(openDomain(engine, { kind: 'subtree', parent: c }), b);
      };
      const made = interleave(() => registerIfOpen(listener, b), [reopen], [step]);
      if (made > step) {
        const first = listener.read().count;
        for (const signals of [ofA, ofC]) if (!signals.begin(SHORT)) signals.recovered();
        const { count, recovered } = listener.read();
        seen.add(`${first} at once, gone [${listener.gone}], ${count} from a, ${recovered} from c`);
      }
      return made;
    });
    const gone = '1 at once, gone [2], 0 from a, 0 from c';
    const refused = '0 at once, gone [], 0 from a, 0 from c';
    assert.deepEqual([...seen].sort(), [refused, gone]);
  });

  test('a registration within the closing of a domain, likewise', () => {
    everyStep((step) => {
      const { engine, b } = open();
      const listener = new Listener(engine);
      let registered = false;
      const register = () => {
        registered = registerIfOpen(listener, b);
      };
      const made = interleave(() => closeDomain(engine, b), [register], [step]);
      const expected = registered ? [1, [b]] : [0, []];
      assert.deepEqual([listener.read().count, listener.gone], expected, `step ${step}`);
      return made;
    });
  });

  test('of two that take a cell, or register, each has its own', () => {
    everyStep((step) => {
      const { engine, b, c, ofB, ofC } = open();
      const listeners: Listener[] = [];
      const made = interleave(
        () => listeners.push(listen(engine, b)),
        [() => listeners.unshift(listen(engine, c))],
        [step],
      );
      ofB.begin(SHORT);
      const ofBOnly = listeners.map((listener) => listener.read().count);
      ofC.begin(SHORT);
      const ofCOnly = listeners.map((listener) => listener.read().count);
      assert.deepEqual([`${ofBOnly}`, `${ofCOnly}`], made > step ? ['0,1', '1,0'] : ['1', '0'], `step ${step}`);
      return made;
    });
  });

  test('whoever finds a signal finds the facts of its event', () => {
    everyStep((step) => {
      const { engine, b, ofA } = open();
      const listener = listen(engine, b);
      const look = () => {
        if (listener.peek().count > 0) assert.equal(listener.event?.event, 1, `step ${step}`);
      };
      return interleave(() => ofA.begin(SHORT), [look], [step]);
    });
  });

  test('of two that begin one event, one does', () => {
    everyStep((step) => {
      const { engine, b, ofA } = open();
      const listener = listen(engine, b);
      const begun: boolean[] = [];
      const begin = () => begun.push(ofA.begin(SHORT));
      const made = interleave(begin, [begin], [step]);
      assert.deepEqual(begun.sort(), made > step ? [false, true] : [true], `step ${step}`);
      assert.equal(listener.read().count, 1);
      return made;
    });
  });

  test('facts are those of one moment', () => {
    everyStep((step) => {
      const { engine, b, ofA } = open();
      const listener = listen(engine, b);
      ofA.begin({ reason: 'stall', level: 'term' });
      let read: Listener['event'];
      const look = () => {
        read = listener.event;
      };
      const next = () => {
        ofA.victim({ kind: 'simulated', id: 7, startTicks: 8 });
        ofA.recovered();
        ofA.begin({ reason: 'limit', level: 'kill' });
      };
      const made = interleave(look, [next], [step]);
      const words = `${read?.reason} ${read?.level} ${read?.victims} ${read?.event}`;
      assert.ok(['stall term 0 1', 'limit kill 0 2'].includes(words), `step ${step}: ${words}`);
      return made;
    });
  });
});
