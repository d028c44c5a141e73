// rank and explain by a policy file and by plug-ins, on task records: what the rules and the plug-in did is shown.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { badness } from './support/badness.js';
import { ownFolder } from './support/own-folder.js';
import { moduleFile, points, wasmFile, wat } from './support/plugin-modules.js';

const MACHINE = { page_size: 4096, hz: 100, uptime_s: 1000, total_pages: 100_000 };
const TASKS = [
  { tgid: 10, ppid: 1, comm: 'large', rss_pages: 3000, total_vm_pages: 9000 },
  { tgid: 11, ppid: 1, comm: 'middle', rss_pages: 2000, total_vm_pages: 9000, uid: 5 },
  { tgid: 12, ppid: 1, comm: 'small', rss_pages: 1000, total_vm_pages: 9000 },
  { tgid: 13, ppid: 1, comm: 'sshd', rss_pages: 9000, total_vm_pages: 9000 },
];
const RULES = `version = 1
scheme = "resident"
[[rule]]
comm = "large"
times = "1/2"
[[rule]]
user = 5
plus = "4MiB"
[[rule]]
exe = "/opt/*"
minus = "1MiB"
`;

function files(t: TestContext, policy = RULES): { tasks: string; policy: string } {
  const folder = ownFolder(t);
  const [tasks, file] = [join(folder, 'tasks.ndjson'), join(folder, 'badness.toml')];
  writeFileSync(tasks, [MACHINE, ...TASKS].map((one) => `${JSON.stringify(one)}\n`).join(''));
  writeFileSync(file, policy);
  return { tasks, policy: file };
}

const parsed = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('rank --policy', () => {
  test('scheme, rules and never list of the file; every record says which rules', (t) => {
    const { tasks, policy } = files(t);
    const { status, stdout } = badness(['rank', '--tasks', tasks, '--policy', policy, '--json']);
    assert.equal(status, 0);
    const [head, ...rows] = parsed(stdout);
    assert.deepEqual([head.scheme, head.victim, head.eligible], ['resident', 11, 3]);
    assert.deepEqual(
      rows.map(({ tgid, points: got, reason, rules }) => [
        tgid,
        got,
        reason,
        rules?.map((hit: { rule: number }) => hit.rule),
      ]),
      // Of plus and minus the first counts. Nobody can look at the programs of recorded tasks: what is better for them counts, and is marked.
      [
        [11, 3024, null, [2]],
        [10, 1244, null, [1, 3]],
        [12, 744, null, [3]],
        [13, null, 'rule', undefined],
      ],
    );
    // What it says can be ranked again.
    const again = join(ownFolder(t), 'again.ndjson');
    writeFileSync(again, stdout);
    assert.equal(parsed(badness(['rank', '--tasks', again, '--json']).stdout)[0].victim, 13);
  });

  test('in words: what the rules did to the one that would go; options go over the file', (t) => {
    const { tasks, policy } = files(t);
    const { stdout } = badness(['rank', '--tasks', tasks, '--policy', policy]);
    assert.match(stdout, /next victim: 11 \(middle\)[\s\S]*\nrule 2: plus 4MiB, 3,024 points\n/);
    assert.match(badness(['rank', '--tasks', tasks, '--policy', policy, '--scheme', 'family']).stdout, /scheme family/);
  });

  test('explain --json: the first line says the same as that of rank, rules and plug-in included', (t) => {
    const { tasks, policy } = files(t);
    const head = (...args: string[]) => parsed(badness([...args, '--tasks', tasks, '--json']).stdout)[0];
    const ruled = head('explain', '10', '--policy', policy);
    assert.equal(ruled.victim, 11);
    assert.deepEqual(ruled, head('rank', '--policy', policy));
    const url = moduleFile(t, points('return task.comm === "small" ? 9999 : 1;'));
    const own = files(t, `version = 1\nscheme = { module = "${url}", export = "points" }\n`).policy;
    const ranked = head('rank', '--policy', own);
    assert.equal(ranked.victim, 12);
    assert.deepEqual(head('explain', '10', '--policy', own), ranked);
  });

  test('explain: the hits of one task after the terms of its scheme', (t) => {
    const { tasks, policy } = files(t);
    const { stdout } = badness(['explain', '10', '--tasks', tasks, '--policy', policy]);
    assert.match(
      stdout,
      /resident, step by step:[\s\S]*= points {2}3,000\n\nrule 1: times 1\/2, 1,500 points\nrule 3: minus 1MiB, 1,244 points \(assumed:/,
    );
    const [, record] = parsed(badness(['explain', '10', '--tasks', tasks, '--policy', policy, '--json']).stdout);
    assert.deepEqual([record.points, record.rules.length], [1244, 2]);
    assert.match(
      badness(['explain', '13', '--tasks', tasks, '--policy', policy]).stdout,
      /not eligible in scheme resident: rule/,
    );
  });

  test('a file that is bad, has no domain for this machine, or goes with --stats is refused', (t) => {
    const { tasks, policy } = files(t);
    const bad = badness(['rank', '--tasks', tasks, '--policy', files(t, 'version = 1\nschem = 1\n').policy]);
    assert.deepEqual([bad.status, /badness\.toml:2: schem is not known/.test(bad.stderr)], [14, true]);
    const other = files(t, 'version = 1\ndomain = { numa_node = 1 }\n').policy;
    assert.equal(badness(['rank', '--tasks', tasks, '--policy', other]).status, 2);
    const stats = badness(['rank', '--tasks', tasks, '--policy', policy, '--stats']);
    assert.deepEqual([stats.status, /go without --policy/.test(stats.stderr)], [2, true]);
  });
});

describe('rank --scheme of a plug-in', () => {
  test('its points rank, before the rules', (t) => {
    const url = moduleFile(t, points('return task.comm === "small" ? 5000.9 : task.points;'));
    const { tasks, policy } = files(t);
    const scheme = `${fileURLToPath(url)}#points`;
    const [head, first] = parsed(badness(['rank', '--tasks', tasks, '--scheme', scheme, '--json']).stdout);
    assert.deepEqual([head.plugin, head.scheme], [{ name: `${url}#points`, answered: true, reason: null }, 'badness']);
    assert.deepEqual([first.tgid, first.points], [13, 9000]);
    const ruled = parsed(badness(['rank', '--tasks', tasks, '--scheme', scheme, '--policy', policy, '--json']).stdout);
    assert.deepEqual([ruled[1].tgid, ruled[1].points], [12, 4744]);
    assert.match(
      badness(['rank', '--tasks', tasks, '--scheme', scheme]).stdout,
      /plug-in file:.*#points: 9,000 points/,
    );
  });

  test('of WebAssembly; one that fails is an error by name, and no ranking', (t) => {
    const { tasks } = files(t);
    const rank = (scheme: string) => badness(['rank', '--tasks', tasks, '--scheme', scheme]);
    assert.equal(rank(wasmFile(t, wat())).status, 0);
    const traps = rank(wasmFile(t, wat({ score: '(unreachable)' })));
    assert.deepEqual([traps.status, traps.stdout], [19, '']);
    assert.match(traps.stderr, /plugin\.wasm: RuntimeError: unreachable\n$/);
    assert.match(rank('./none.wasm').stderr, /none\.wasm: cannot be read: ENOENT\n$/);
    assert.equal(rank('./none.mjs#not-a-name').status, 2);
  });
});
