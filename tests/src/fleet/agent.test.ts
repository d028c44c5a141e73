/** The agent of one machine over a link, a guard and a clock of the test's: what it takes, what it tells, and what waits while there is no server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealStatement } from '../../../src/fleet/envelope.js';
import { askSubject } from '../../../src/fleet/questions.js';
import { type DecisionReport, parseReport } from '../../../src/fleet/report.js';
import { quiet, agentScene as scene } from '../support/fake-fleet.js';

const decision = { wallMs: 9, event: { kind: 'round' }, record: new Uint8Array([1, 2, 255]) };

test('fleet agent: it takes what stands there when it begins, and each change, and says which revision it has', async () => {
  const { link, guard, agent } = scene({ up: false });
  link.put('default', 1, '# one');
  link.turn(true);
  await quiet(agent);
  const revision = link.put('label.ci', 1, '# two');
  await quiet(agent);
  assert.deepEqual(guard.asked, ['# one', '# two']);
  const { policy, notes, host, labels } = link.states().at(-1)!;
  assert.deepEqual(policy, { key: 'label.ci', revision, sequence: 1, step: 'policy' });
  assert.deepEqual([notes, host, labels], [['by # two'], 'web-1', ['ci']]);
});

test('fleet agent: a policy that the guard refuses is named, and the one before stays, until a better one comes', async () => {
  const { link, guard, agent, notes } = scene();
  link.put('default', 1, '# good');
  await quiet(agent);
  guard.refuse = '# bad';
  const revision = link.put('default', 2, '# bad');
  await quiet(agent);
  const state = link.states().at(-1)!;
  assert.equal(state.policy?.sequence, 1);
  assert.deepEqual(state.refused, [{ key: 'default', revision, code: 'EPOLICY', message: 'line 2: no' }]);
  assert.match(notes.join(), /default, revision 2, is refused: line 2: no/);
  link.put('default', 3, '# better');
  await quiet(agent);
  assert.deepEqual(link.states().at(-1)!.refused, []);
  assert.equal(agent.policy?.sequence, 3);
});

test('fleet agent: a refused policy is not tried again and again', async () => {
  const { link, guard, agent, clock } = scene();
  guard.refuse = '# bad';
  link.put('default', 1, '# bad');
  await quiet(agent);
  await clock.advance(200_000);
  await quiet(agent);
  assert.deepEqual(guard.asked, ['# bad']);
});

test('fleet agent: a withdrawn policy gives the machine its own back', async () => {
  const { link, guard, agent } = scene();
  link.put('default', 1, '# one');
  await quiet(agent);
  link.put('default', 2, null);
  await quiet(agent);
  assert.deepEqual(guard.asked, ['# one', null]);
  assert.equal(agent.policy, null);
});

test('fleet agent: the same text at a later sequence is acknowledged, and not taken twice', async () => {
  const { link, guard, agent } = scene();
  link.put('default', 1, '# one');
  await quiet(agent);
  const revision = link.put('default', 2, '# one');
  await quiet(agent);
  assert.deepEqual(guard.asked, ['# one']);
  assert.equal(link.states().at(-1)!.policy?.revision, revision);
});

test('fleet agent: what it has seen is kept before it is told, and an older one is named', async () => {
  const { link, agent, kept } = scene();
  link.put('default', 5, '# one');
  await quiet(agent);
  assert.deepEqual(kept.sequences, { default: 5 });
  link.put('default', 4, '# old');
  await quiet(agent);
  assert.equal(link.states().at(-1)!.refused[0]?.code, 'EOLDER');
  assert.equal(agent.policy?.text, '# one');
});

test('fleet agent: without a key that is trusted no policy is looked at', async () => {
  const { link, agent, guard } = scene({ verify: null });
  link.put('default', 1, '# one');
  await quiet(agent);
  assert.deepEqual(guard.asked, []);
});

test('fleet agent: a policy that nobody announced is found within a minute', async () => {
  const { link, guard, agent, clock } = scene();
  await quiet(agent);
  const statement = { version: 1 as const, key: 'default', sequence: 1, signedMs: 0, policy: '# x', next: null };
  link.policies.set('default', { revision: 1, text: sealStatement({ ...statement, shadow: null }, () => 'good') });
  await clock.advance(60_000);
  await quiet(agent);
  assert.deepEqual(guard.asked, ['# x']);
});

test('fleet agent: decisions wait while there is no server, and come in their order, each with its policy and record', async () => {
  const { link, agent, spool } = scene({ up: false });
  for (let n = 0; n < 3; ++n) agent.decided(decision);
  await quiet(agent);
  assert.equal(spool.waiting, 3);
  link.put('default', 1, '# one');
  link.turn(true);
  await quiet(agent);
  agent.decided(decision);
  await quiet(agent);
  assert.deepEqual(link.decisions(), ['run.1', 'run.2', 'run.3', 'run.4']);
  const reports = link.stored.filter(({ id }) => id).map(({ text }) => parseReport(text) as DecisionReport);
  assert.deepEqual([reports[0]!.record, reports[0]!.wall_ms, reports[0]!.event], ['AQL/', 9, { kind: 'round' }]);
  assert.equal(reports[0]!.policy, null);
  assert.equal(reports[3]!.policy?.key, 'default');
});

test('fleet agent: what the server did not take is sent again, later each time, and nothing before it is', async () => {
  const { link, agent, clock, spool } = scene();
  link.failing.add('run.2');
  for (let n = 0; n < 3; ++n) agent.decided(decision);
  await quiet(agent);
  const [first, second] = [link.decisions().filter((id) => id === 'run.1').length, spool.waiting];
  assert.deepEqual([first, second], [1, 2]);
  link.failing.clear();
  await clock.advance(500);
  await quiet(agent);
  assert.equal(spool.waiting, 0);
  assert.deepEqual([...new Set(link.decisions())].sort(), ['run.1', 'run.2', 'run.3']);
  assert.equal(link.decisions().filter((id) => id === 'run.1').length, 1);
});

test('fleet agent: a report that no server takes is named, and holds up none behind it', async () => {
  const { link, agent, notes } = scene();
  agent.decided({ ...decision, event: { kind: 'round', words: 'x'.repeat(5000) } });
  agent.decided(decision);
  await quiet(agent);
  assert.deepEqual(link.decisions(), ['run.2']);
  assert.match(notes.join(), /run\.1 is larger/);
});

test('fleet agent: a shadow is handed to the guard, and one that cannot be used is named', async () => {
  const { link, agent, guard } = scene();
  link.put('default', 1, '# one', { shadow: '# beside' });
  await quiet(agent);
  assert.equal(guard.shadowed, '# beside');
  guard.shadow = async () => {
    throw new Error('no such scheme');
  };
  link.put('default', 2, '# one', { shadow: '# bad' });
  await quiet(agent);
  assert.equal(link.states().at(-1)!.shadow?.error, 'no such scheme');
  assert.deepEqual(guard.asked, ['# one']);
});

test('fleet agent: when the file of the machine has changed the policy is put together anew, without a server too', async () => {
  const { link, agent, guard } = scene();
  link.put('default', 1, '# one');
  await quiet(agent);
  link.turn(false);
  await agent.again();
  assert.deepEqual(guard.asked, ['# one', '# one']);
});

test('fleet agent: what the changed file does not allow any more ends, and the machine goes on by its own policy', async () => {
  const { link, agent, guard } = scene();
  link.put('default', 1, '# one');
  await quiet(agent);
  guard.refuse = '# one';
  await agent.again();
  assert.deepEqual(guard.asked, ['# one', '# one', null]);
  assert.equal(agent.policy, null);
  assert.equal(link.states().at(-1)!.refused[0]?.code, 'EPOLICY');
});

test('fleet agent: with a refused policy standing there, it is the one in force that is put together anew', async () => {
  const { link, agent, guard } = scene();
  link.put('default', 1, '# one');
  await quiet(agent);
  guard.refuse = '# bad';
  link.put('default', 2, '# bad');
  await quiet(agent);
  await agent.again();
  assert.deepEqual(guard.asked, ['# one', '# bad', '# one', '# bad']);
  assert.equal(agent.policy?.sequence, 1);
});

test('fleet agent: what the changed file allows now is taken, although it was refused before', async () => {
  const { link, agent, guard } = scene();
  guard.refuse = '# one';
  link.put('default', 1, '# one');
  await quiet(agent);
  assert.equal(link.states().at(-1)!.policy, null);
  guard.refuse = null;
  await agent.again();
  assert.equal(agent.policy?.text, '# one');
  assert.deepEqual(link.states().at(-1)!.refused, []);
});

test('fleet agent: why policies cannot be read is said once in a row', async () => {
  const { link, agent, notes, clock } = scene();
  const read = link.policyAt;
  link.policyAt = async () => {
    throw new Error('no right to label.ci');
  };
  await clock.advance(180_000);
  await quiet(agent);
  const said = () => notes.filter((words) => /policies of the fleet cannot be read: no right to label\.ci/.test(words));
  assert.equal(said().length, 1);
  link.policyAt = read;
  link.put('default', 1, '# one');
  await quiet(agent);
  assert.equal(agent.policy?.text, '# one');
  link.policyAt = async () => {
    throw new Error('no right to label.ci');
  };
  await clock.advance(180_000);
  await quiet(agent);
  assert.equal(said().length, 2);
});

test('fleet agent: why a report is not taken is said once in a row', async () => {
  const { link, agent, notes, clock } = scene();
  const said = () => notes.filter((words) => /not taken: not stored/.test(words)).length;
  link.failing.add('run.1');
  agent.decided(decision);
  await quiet(agent);
  for (let n = 0; n < 5; ++n) await clock.advance(60_000);
  await quiet(agent);
  assert.equal(said(), 1);
  link.failing.clear();
  await clock.advance(60_000);
  await quiet(agent);
  link.failing.add('run.2');
  agent.decided(decision);
  await quiet(agent);
  assert.equal(said(), 2);
});

test('fleet agent: a report that leaves no room for what a message says beside it is too large', async () => {
  const { link, agent, notes, spool } = scene();
  const text = { ...decision, event: { kind: 'round', words: '' } };
  agent.decided(text);
  await quiet(agent);
  const empty = link.stored.find(({ id }) => id === 'run.1')!.text.length;
  agent.decided({ ...text, event: { kind: 'round', words: 'x'.repeat(link.messageBytes - empty) } });
  await quiet(agent);
  assert.match(notes.join(), /run\.2 is larger/);
  assert.equal(spool.waiting, 0);
});

test('fleet agent: an answer that no server takes is named, and ends nothing', async () => {
  const { link, agent, notes } = scene({ preview: async () => ({}) as never });
  const ask = { schema: 1, kind: 'preview', available: '5%', swap_free: null, most: 1 };
  const respond = () => {
    throw new RangeError('more than this server takes');
  };
  link.tell(askSubject('web-1'), { subject: '', text: JSON.stringify(ask), respond });
  await quiet(agent);
  assert.deepEqual(notes, ['a question could not be answered: more than this server takes']);
});

test('fleet agent: closed while a report is on its way that nobody takes, it leaves no timer', async () => {
  const { link, agent, clock } = scene();
  let fail = () => {};
  link.store = (_, __, id) =>
    id ? new Promise((_, reject) => (fail = () => reject(new Error('gone')))) : Promise.resolve();
  agent.decided(decision);
  await agent.close();
  fail();
  await agent.settled();
  assert.equal(clock.pending, 0);
});

test('fleet agent: at its end it says that it does not run any more, and leaves no timer', async () => {
  const { link, agent, clock } = scene();
  link.put('default', 1, '# one');
  await quiet(agent);
  await agent.close();
  assert.equal(link.states().at(-1)!.running, false);
  assert.equal(clock.pending, 0);
});
