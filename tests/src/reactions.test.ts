/** Reactions: which run, in which order, what ends a round, the last resort, dry rounds, nobody to kill. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotifierChain } from '../../src/guard/notifier-chain.js';
import { Panic } from '../../src/guard/panic.js';
import { Reactions, type ReactionsOptions, type RoundFacts } from '../../src/guard/reactions.js';
import type { Answer, KillOutcome, KillResult, ReactionContext } from '../../src/guard/round-events.js';
import { panicPlan } from '../../src/policy/panic-plan.js';
import { code, never, PRESSURE, VICTIM } from './support/chain.js';
import { ManualClock, settle } from './support/manual-clock.js';

const FACTS: RoundFacts = { ...PRESSURE, victim: VICTIM };
const NOBODY: RoundFacts = { ...PRESSURE, victim: null };

interface SetUp extends Partial<Omit<ReactionsOptions, 'chain' | 'panic'>> {
  outcome?: KillOutcome;
}

function setUp({ outcome = 'released', ...options }: SetUp = {}) {
  const clock = new ManualClock();
  const chain = new NotifierChain({ clock });
  const done: string[] = [];
  const kill = async ({ victim }: RoundFacts): Promise<KillResult> => {
    done.push(`kill ${victim!.tgid}`);
    return { outcome, freedBytes: outcome === 'released' ? 4096 : 0 };
  };
  const note = (what: string) => () => void done.push(what);
  const actions = { exit: note('exit'), reboot: note('reboot'), run: note('run') };
  const panic = new Panic({ plan: panicPlan({}, 'panic'), actions, clock, handOff: note('hand off') });
  const reactions = new Reactions({ chain, kill, panic, enforce: true, ...options });
  /** A reaction of the user's that notes that it was called. */
  const own = (name: string, answer?: Answer, also?: (context: Readonly<ReactionContext>) => unknown) => ({
    name,
    react: async (context: Readonly<ReactionContext>) => {
      done.push(name);
      await also?.(context);
      return answer;
    },
  });
  return { clock, chain, done, panic, reactions, own };
}

test('reactions: when none was ever chosen, the victim is killed as the last resort', async () => {
  const { reactions, done } = setUp();
  const report = await reactions.react(FACTS);
  assert.deepEqual(done, ['kill 7']);
  assert.deepEqual([report.lastResort, report.planned, report.dry], [true, ['kill'], false]);
  assert.deepEqual(report.kill, { outcome: 'released', freedBytes: 4096 });
});

test('reactions: once one was chosen there is no last resort, not even after it was withdrawn', async () => {
  const { reactions, done, chain } = setUp();
  reactions.choose('none');
  assert.equal((await reactions.react(FACTS)).lastResort, false);
  reactions.withdraw('none');
  const report = await reactions.react(FACTS);
  assert.deepEqual([report.lastResort, report.planned, report.walk?.calls, done], [false, [], [], []]);
  assert.deepEqual(chain.list(), []);
});

test('reactions: one that is registered with the chain itself is chosen too', async () => {
  const { reactions, done, chain } = setUp();
  chain.register({ name: 'mine', react: () => void done.push('mine') });
  const report = await reactions.react(FACTS);
  assert.deepEqual([done, report.lastResort], [['mine'], false]);
});

test('reactions: a notifier of other phases is no reaction', async () => {
  const { reactions, done, chain } = setUp();
  chain.register({ name: 'logger', warn: () => {}, afterKill: () => {} });
  assert.equal((await reactions.react(FACTS)).lastResort, true);
  assert.deepEqual(done, ['kill 7']);
});

test('reactions: all run in order of priority, until one stops', async () => {
  const { reactions, done, own } = setUp();
  reactions.choose(own('c'), -1);
  reactions.choose(own('a'), 1);
  reactions.choose(own('b'));
  await reactions.react(FACTS);
  assert.deepEqual(done.splice(0), ['a', 'b', 'c']);
  reactions.replace('b', own('b', { stop: true }));
  const report = await reactions.react(FACTS);
  assert.deepEqual([done, report.walk?.stoppedBy, report.kill], [['a', 'b'], 'b', null]);
});

test('reactions: choosing one twice is EEXIST, withdrawing what is not chosen is ENOENT, an unknown one RangeError', () => {
  const { reactions } = setUp();
  reactions.choose('kill');
  assert.throws(() => reactions.choose('kill', 5), code('EEXIST'));
  assert.throws(() => reactions.withdraw('panic'), code('ENOENT'));
  assert.throws(() => reactions.replace('panic', 'none'), code('ENOENT'));
  assert.throws(() => reactions.choose('toString' as never), /^RangeError: reaction must be one of kill, panic, none/);
});

for (const outcome of ['released', 'gone'] as const) {
  test(`reactions: kill ends the round when the victim is ${outcome}`, async () => {
    const { reactions, done, own } = setUp({ outcome });
    reactions.choose('kill', 1);
    reactions.choose(own('below'));
    reactions.choose('panic', -1);
    const report = await reactions.react(FACTS);
    assert.deepEqual([done, report.walk?.stoppedBy, report.panicking], [['kill 7'], 'kill', false]);
  });
}

for (const outcome of ['stuck', 'refused'] as const) {
  test(`reactions: what stands below kill is what happens when the victim is ${outcome}`, async () => {
    const { reactions, done, panic } = setUp({ outcome });
    reactions.choose('kill', 1);
    reactions.choose('panic');
    const report = await reactions.react(FACTS);
    await settle();
    assert.deepEqual(done, ['kill 7', 'hand off']);
    assert.deepEqual([report.kill?.outcome, report.walk?.stoppedBy, panic.admitting], [outcome, 'panic', false]);
  });
}

test('reactions: panic above kill spares the victim, and begins once', async () => {
  const { reactions, done } = setUp();
  reactions.choose('kill');
  reactions.choose('panic', 1);
  const first = await reactions.react(FACTS);
  const second = await reactions.react(FACTS);
  await settle();
  assert.deepEqual(done, ['hand off']);
  assert.deepEqual([first.panicking, second.panicking, second.walk?.stoppedBy], [true, true, 'panic']);
});

test('reactions: none shields what stands below it', async () => {
  const { reactions, done } = setUp();
  reactions.choose('kill');
  reactions.choose('none', 1);
  const report = await reactions.react(FACTS);
  assert.deepEqual([done, report.walk?.stoppedBy], [[], 'none']);
});

test('reactions: kill can be replaced by one of the same name', async () => {
  const { reactions, done, own } = setUp();
  reactions.choose('kill');
  reactions.replace('kill', own('kill'));
  await reactions.react(FACTS);
  assert.deepEqual(done, ['kill']);
});

test('reactions: a victim is killed at most once a round, whoever asks, and all hear the same', async () => {
  const { reactions, done, own } = setUp();
  const results: KillResult[] = [];
  reactions.choose(
    own('shed first', undefined, async (context) => {
      results.push(...(await Promise.all([context.kill(), context.kill()])));
    }),
    1,
  );
  reactions.choose('kill');
  await reactions.react(FACTS);
  assert.deepEqual(done, ['shed first', 'kill 7']);
  assert.equal(results[0], results[1]);
  await reactions.react(FACTS);
  assert.deepEqual(done.slice(2), ['shed first', 'kill 7'], 'the next round has a kill of its own');
});

test('reactions: a reaction that is too late finds the powers of its round gone', async () => {
  const { reactions, done, clock, own, panic } = setUp();
  let kept: Readonly<ReactionContext> | undefined;
  reactions.choose(
    own('slow', undefined, (context) => {
      kept = context;
      return never();
    }),
  );
  const round = reactions.react(FACTS);
  await clock.advance(30_000);
  assert.equal((await round).walk?.calls[0]?.outcome, 'timed-out');
  await assert.rejects(kept!.kill(), code('ESTALE'));
  await assert.rejects(kept!.panic(), code('ESTALE'));
  assert.deepEqual([done, panic.state], [['slow'], 'calm']);
});

test('reactions: a reaction that does not wait for a failing kill harms nobody', async () => {
  const { reactions, own } = setUp({ kill: () => Promise.reject(new Error('broken')) });
  reactions.choose(own('careless', undefined, (context) => void context.kill()));
  const report = await reactions.react(FACTS);
  await settle();
  assert.deepEqual([report.kill, report.walk?.calls[0]?.outcome], [null, 'ok']);
});

test('reactions: a killer that throws or hangs is reported, cut off, and what stands below runs', async () => {
  let signal: AbortSignal | undefined;
  const hanging = (_: RoundFacts, given: AbortSignal) => {
    signal = given;
    return never();
  };
  for (const kill of [() => Promise.reject(new Error('broken')), hanging]) {
    const { reactions, done, clock, own } = setUp({ kill });
    reactions.choose('kill', 1);
    reactions.choose(own('below'));
    const round = reactions.react(FACTS);
    await clock.advance(60_000);
    const report = await round;
    assert.deepEqual([report.walk?.calls[0]?.outcome, done], [kill === hanging ? 'timed-out' : 'threw', ['below']]);
  }
  assert.equal((signal!.reason as { code: string }).code, 'ESTALE');
});

test('reactions: a dry round calls nobody and says who would have been', async () => {
  const { reactions, done, own } = setUp({ enforce: false });
  assert.deepEqual((await reactions.react(FACTS)).planned, ['kill']);
  reactions.choose(own('mine'), 1);
  reactions.choose('panic');
  const report = await reactions.react(FACTS);
  assert.deepEqual(
    [report.dry, report.planned, report.walk, report.kill, done],
    [true, ['mine', 'panic'], null, null, []],
  );
});

test('reactions: nothing is enforced unless asked', async () => {
  const { done, chain, panic } = setUp();
  const reactions = new Reactions({ chain, panic, kill: async () => assert.fail('killed') });
  assert.equal((await reactions.react(FACTS)).dry, true);
  assert.deepEqual(done, []);
});

test('reactions: with nobody to kill, the killer is not called and the reaction for that case runs', async () => {
  const { reactions, done, panic } = setUp({ noVictim: 'panic' });
  reactions.choose('kill');
  const report = await reactions.react(NOBODY);
  await settle();
  assert.deepEqual(done, ['hand off']);
  assert.deepEqual([report.kill?.outcome, report.noVictim?.stoppedBy, panic.admitting], ['no-victim', 'panic', false]);
});

test('reactions: with nobody to kill, the default is to do nothing and to say so', async () => {
  const { reactions, done } = setUp();
  const report = await reactions.react(NOBODY);
  assert.deepEqual([done, report.lastResort, report.noVictim?.stoppedBy], [[], true, 'none']);
  assert.deepEqual(report.kill, { outcome: 'no-victim', freedBytes: 0 });
});

test('reactions: with nobody to kill, a reaction that ends the round is enough', async () => {
  const { reactions, done, own } = setUp({ noVictim: 'panic' });
  reactions.choose(own('shed', { stop: true }));
  const report = await reactions.react(NOBODY);
  assert.deepEqual([done, report.noVictim, report.panicking], [['shed'], null, false]);
});

test('reactions: one of the own making may be the reaction for nobody to kill', async () => {
  const { own, done, chain, panic } = setUp();
  const options = { chain, panic, enforce: true, kill: async () => assert.fail('killed') };
  const reactions = new Reactions({ ...options, noVictim: own('page somebody') });
  await reactions.react(NOBODY);
  await reactions.react(FACTS).catch(() => {});
  assert.deepEqual(done, ['page somebody']);
});

test('reactions: a round within a round is EDEADLK', async () => {
  const { reactions, own } = setUp();
  const seen: unknown[] = [];
  reactions.choose(own('again', undefined, () => reactions.react(FACTS).catch((thrown) => seen.push(thrown))));
  await reactions.react(FACTS);
  assert.ok(code('EDEADLK')(seen[0]));
});
