// Random histories of processes: nobody is ever a member who does not descend from the root, and nobody is missed who can be told.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SubtreeMembers } from '../../src/linux/subtree.js';
import { FakeProc } from './support/fake-proc.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { type ModelProcess, PID_MAX, ProcessModel, ROOT } from './support/process-model.js';

const COOKIE = '0123456789abcdef0123456789abcdef';

type Step = { act: 'fork' | 'exit' | 'leave' | 'group' | 'clear' | 'look'; who: number; other: number };

const acts = [
  'fork',
  'fork',
  'fork',
  'fork',
  'exit',
  'exit',
  'leave',
  'leave',
  'group',
  'clear',
  'look',
  'look',
] as const;
const history = fc.array(fc.record<Step>({ act: fc.constantFrom(...acts), who: fc.nat(1000), other: fc.nat(1000) }), {
  minLength: 40,
  maxLength: 160,
});

interface World {
  proc: FakeProc;
  model: ProcessModel;
  members: SubtreeMembers;
}

function world(cookie: string | undefined): World {
  const proc = new FakeProc();
  mkdirSync(join(proc.root, 'sys/kernel'));
  proc.file('sys/kernel/pid_max', `${PID_MAX}\n`);
  const model = new ProcessModel(proc, process.getuid?.() ?? 0, `BADNESS_SUBTREE=${COOKIE}\0`);
  model.tell();
  const members = new SubtreeMembers({ root: ROOT, procRoot: proc.root, ...(cookie ? { cookie } : {}) });
  return { proc, model, members };
}

/** Who must be found: those that a living parent, a living leader of their session, or the cookie tells of. */
function mustBeKnown(one: ModelProcess, known: ReadonlySet<number>, cookie: boolean): boolean {
  if (!one.descends) return false;
  if (one.ppid === ROOT || known.has(one.ppid) || known.has(one.sid) || known.has(one.pgrp)) return true;
  return cookie && one.environ.includes(COOKIE);
}

function check({ model, members }: World, cookie: boolean): void {
  const listed = members.pids().map(Number);
  // While nothing is forked nobody is asked whether he is still there.
  const known = new Set(listed.filter((pid) => members.has(pid)));
  for (const pid of known) {
    const one = model.processes.get(pid);
    assert.ok(one?.descends, `${pid} is a member and ${one ? 'a stranger' : 'gone'}`);
  }
  for (const one of model.processes.values()) {
    if (mustBeKnown(one, known, cookie)) assert.ok(known.has(one.pid), `${one.pid} is missed`);
  }
}

function run(steps: readonly Step[], cookie: boolean): number {
  const here = world(cookie ? COOKIE : undefined);
  const { model, members, proc } = here;
  let most = 0;
  try {
    for (const { act, who, other } of steps) {
      const one = model.pick(who);
      if (act === 'look') {
        model.tell();
        members.refresh();
        check(here, cookie);
        most = Math.max(most, members.pids().length);
      } else if (act === 'group') model.group(one, model.pick(other));
      else model[act](one);
    }
  } finally {
    members.close();
    proc.remove();
  }
  return most;
}

for (const cookie of [true, false]) {
  test(`subtree: in any history members descend from the root, and who can be told is one (${cookie ? 'cookie' : 'no cookie'})`, () => {
    let most = 0;
    fc.assert(
      fc.property(history, (steps) => {
        most = Math.max(most, run(steps, cookie));
      }),
      { seed: SEED, numRuns: RUNS },
    );
    assert.ok(most >= 3, `histories have members, at most ${most}`);
  });
}
