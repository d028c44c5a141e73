import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openDomain } from '../../src/domains.js';
import { Gate, type GateAbi, type GateAnswer } from '../../src/gate.js';
import { releaseBuilds } from './support/builds.js';

interface State {
  first: string;
  last: string;
  count: string;
  lastkill: string;
}

type Event =
  | ({ op: 'call'; t: string; action: GateAnswer; open?: true } & Omit<State, 'last'>)
  | { op: 'kill_done'; of: number; first: string; count: string };

interface Timeline {
  name: string;
  bits: 32 | 64;
  hz: number;
  initial: State;
  events: Event[];
}

const { timelines } = JSON.parse(readFileSync('tests/vectors/gate-2.6.10.json', 'utf8')) as { timelines: Timeline[] };

/** The cells of a gate as the vectors write them. */
class Cells {
  readonly #view: DataView;
  readonly #upper: bigint;

  constructor(memory: WebAssembly.Memory, bits: 32 | 64) {
    this.#view = new DataView(memory.buffer, L.DOMAINS);
    this.#upper = bits === 32 ? 32n : 0n;
  }

  load(initial: State): void {
    this.#view.setBigUint64(L.GATE_FIRST, BigInt(initial.first) << this.#upper, true);
    this.#view.setBigUint64(L.GATE_LAST, BigInt(initial.last) << this.#upper, true);
    this.#view.setBigUint64(L.GATE_LASTKILL, BigInt(initial.lastkill) << this.#upper, true);
    this.#view.setUint32(L.GATE_COUNT, Number(initial.count), true);
  }

  state(): State {
    const ticks = (cell: number) => (this.#view.getBigUint64(cell, true) >> this.#upper).toString();
    return {
      first: ticks(L.GATE_FIRST),
      last: ticks(L.GATE_LAST),
      count: this.#view.getUint32(L.GATE_COUNT, true).toString(),
      lastkill: ticks(L.GATE_LASTKILL),
    };
  }
}

/** Runs a timeline and returns how many events agreed. */
function replay(gate: Gate, cells: Cells, timeline: Timeline): number {
  let { last, lastkill } = timeline.initial;
  timeline.events.forEach((event, index) => {
    const where = `${timeline.name}, event ${index}`;
    if (event.op === 'kill_done') {
      const call = timeline.events[event.of]!;
      // One timeline ends a second kill whose own event had ended it already: what counts is the time.
      assert.ok(call.op === 'call', where);
      gate.done(BigInt(call.t));
    } else {
      assert.equal(gate.call(BigInt(event.t)), event.action, where);
      if (event.action === 'kill' && !event.open) gate.done(BigInt(event.t));
      last = event.t;
      lastkill = event.lastkill;
    }
    assert.deepEqual(cells.state(), { first: event.first, last, count: event.count, lastkill }, where);
  });
  return timeline.events.length;
}

for (const build of releaseBuilds) {
  const open = () => {
    const { abi, memory } = build.open(1);
    const engine = { abi: abi as unknown as GateAbi, memory };
    const domain = openDomain(engine, { kind: 'system' });
    return { engine, memory, gate: new Gate(engine, domain) };
  };

  describe(`gate, ${build.name}: Linux 2.6.10`, () => {
    let events = 0;
    for (const timeline of timelines) {
      test(`${timeline.name}, ${timeline.bits} bits: every event and the state after it`, () => {
        const { gate, memory } = open();
        gate.openLinux(timeline.hz, timeline.bits);
        const cells = new Cells(memory, timeline.bits);
        cells.load(timeline.initial);
        events += replay(gate, cells, timeline);
      });
    }

    test('the vectors are all there: 38 timelines, 1,102 events', () => {
      assert.equal(timelines.length, 38);
      assert.equal(events, 1102);
    });
  });

  describe(`gate, ${build.name}: ours`, () => {
    /** Calls at each time; a kill is over at once. */
    const calls = (gate: Gate, times: number[]) =>
      times.map((time) => {
        const answer = gate.call(time);
        if (answer === 'kill') gate.done(time);
        return answer;
      });
    const times = (from: number, step: number, count: number) =>
      Array.from({ length: count }, (_, i) => from + i * step);

    test('the first call is refused with reset whatever the clock says, and the tenth counted call kills', () => {
      for (const start of [0, 1, 999, 5000, 5001, 2 ** 32 - 500, 2 ** 40]) {
        const { gate } = open();
        gate.openRate();
        const expected = ['reset', ...Array(9).fill('few'), 'kill'];
        assert.deepEqual(calls(gate, [start, ...times(start + 1000, 0, 10)]), expected, `start ${start}`);
      }
    });

    test('no earlier kill is no cooldown, although the clock is young', () => {
      const { gate } = open();
      gate.openRate();
      assert.equal(calls(gate, [0, ...times(1000, 100, 10)]).at(-1), 'kill');
      const linux = open();
      linux.gate.openLinux(1000);
      assert.equal(calls(linux.gate, [0, ...times(1000, 100, 10)]).at(-1), 'cooldown');
    });

    test('the refusals in order: reset, too_soon, few, cooldown', () => {
      const { gate } = open();
      gate.openRate();
      const seen = calls(gate, times(100_000, 100, 100));
      assert.deepEqual(seen.slice(0, 11), ['reset', ...Array(9).fill('too_soon'), 'few']);
      assert.deepEqual(seen.slice(11, 20), [...Array(8).fill('few'), 'kill']);
      assert.deepEqual(seen.slice(20, 30), [...Array(9).fill('too_soon'), 'few']);
      assert.equal(seen[38], 'cooldown');
      assert.equal(seen[69], 'kill', '5 s after the first');
      assert.equal(seen.filter((answer) => answer === 'kill').length, 2);
    });

    test('a silence of exactly the window does not reset, one tick more does', () => {
      for (const [silence, answer] of [
        [5000, 'kill'],
        [5001, 'reset'],
      ] as const) {
        const { gate } = open();
        gate.openRate();
        calls(gate, [0, ...times(1000, 1, 9)]);
        assert.equal(gate.call(1008 + silence), answer);
      }
    });

    test('a clock that goes back drops the history: reset, then it counts from there', () => {
      const { gate } = open();
      gate.openRate();
      assert.equal(calls(gate, [50_000, ...times(51_000, 10, 10)]).at(-1), 'kill');
      assert.equal(gate.call(20_000), 'reset');
      assert.equal(gate.call(20_999), 'too_soon');
      assert.deepEqual(
        calls(gate, times(21_000, 1, 10)),
        [...Array(9).fill('few'), 'kill'],
        'the kill at 51,090 is forgotten',
      );
    });

    test('the end of a kill from before the clock went back changes nothing', () => {
      const { gate, memory } = open();
      gate.openRate();
      for (const time of [50_000, ...times(51_000, 0, 10)]) gate.call(time);
      gate.call(20_000);
      gate.call(21_000);
      const cells = new Cells(memory, 64);
      const before = cells.state();
      gate.done(51_000);
      assert.deepEqual(cells.state(), before);
    });

    test('suspend: after forget the next call is refused with reset, and the last kill is no cooldown', () => {
      const { gate } = open();
      gate.openRate();
      assert.equal(calls(gate, [1000, ...times(2000, 10, 10)]).at(-1), 'kill');
      gate.forget();
      assert.deepEqual(calls(gate, [2100, ...times(3100, 0, 10)]), ['reset', ...Array(9).fill('few'), 'kill']);
    });

    test('while a kill is open the others cool down, and after it counting starts at its time', () => {
      const { gate } = open();
      gate.openRate();
      for (const time of [1000, ...times(2000, 0, 9)]) gate.call(time);
      assert.equal(gate.call(2000), 'kill');
      assert.equal(gate.call(2500), 'cooldown');
      gate.done(2000);
      assert.equal(gate.call(2999), 'too_soon');
      assert.equal(gate.call(3000), 'few');
    });

    test('rules are the caller’s: window, warm-up, calls and cooldown', () => {
      const { gate } = open();
      gate.openRate({ windowTicks: 100, warmUpTicks: 0, calls: 2, cooldownTicks: 30 });
      assert.deepEqual(calls(gate, [7, 8, 9, 10, 38, 39, 140]), [
        'reset',
        'few',
        'kill',
        'few',
        'cooldown',
        'kill',
        'reset',
      ]);
    });

    test('a level gate is always open, and so is one without rules', () => {
      const { gate } = open();
      assert.deepEqual(calls(gate, [5, 5, 4, 1e9]), ['kill', 'kill', 'kill', 'kill']);
      gate.openRate();
      assert.equal(gate.call(5), 'reset');
      gate.openLevel();
      assert.deepEqual(calls(gate, [5, 5, 4, 1e9]), ['kill', 'kill', 'kill', 'kill']);
    });

    test('while somebody is inside others are refused with busy; opening the gate again frees it', () => {
      const { gate, memory } = open();
      gate.openRate();
      new DataView(memory.buffer).setUint32(L.DOMAINS + L.GATE_LOCK, 1, true);
      assert.equal(gate.call(5), 'busy');
      gate.openRate();
      assert.equal(gate.call(5), 'reset');
    });

    test('gates of two domains know nothing of each other', () => {
      const { engine, gate } = open();
      const child = new Gate(engine, openDomain(engine, { kind: 'memcg', parent: 0 }));
      gate.openRate();
      assert.equal(gate.call(5), 'reset');
      assert.equal(child.call(5), 'kill');
      child.openRate({ calls: 1, warmUpTicks: 0 });
      assert.deepEqual([child.call(6), child.call(7), gate.call(7)], ['reset', 'kill', 'too_soon']);
    });

    test('values out of range are refused by name', () => {
      const { engine, gate } = open();
      assert.throws(() => gate.call(-1), /time must be an integer of at least 0, got -1/);
      assert.throws(() => gate.call(0.5), RangeError);
      assert.throws(() => gate.call(-1n), RangeError);
      assert.throws(() => gate.openRate({ calls: 0 }), /calls must be an integer 1\.\.4294967295, got 0/);
      assert.throws(() => gate.openRate({ windowTicks: Number.NaN }), RangeError);
      assert.throws(() => gate.openLinux(2000), /hz must be 48\.\.1535, got 2000/);
      assert.throws(() => new Gate(engine, 7).call(1), /domain must be open, got 7/);
      assert.equal(engine.abi.gate_call(-1, 0, 0, 0), L.E_RANGE);
      assert.equal(engine.abi.gate_call(L.DOMAINS_MAX, 0, 0, 0), L.E_RANGE);
    });
  });
}
