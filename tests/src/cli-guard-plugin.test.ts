// A guard with a scheme of a user's own, from the policy file to the metrics. Dry: nobody is signalled.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { badness } from './support/badness.js';
import { get, within } from './support/control-scene.js';
import { ctl, type Run, start } from './support/guard-run.js';
import { ownFolder } from './support/own-folder.js';
import { eachTask, moduleFile, points, wasmFile, wat } from './support/plugin-modules.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const SHORT = `version = 1
domain = "system"
thresholds.term = { available = "100%", swap_free = "100%" }
thresholds.kill.available = "0%"
`;
/** More than anybody has pages. */
const MANY = 1e12;
/** Whoever is asked about last goes first. */
const BY_PLACE = wat({ score: eachTask(`(f64.add (f64.const ${MANY}) (f64.convert_i32_u (local.get $i)))`) });

const LOOPS = points('for (;;);');

interface PluginLine {
  readonly name: string;
  readonly answered: boolean;
  readonly reason: string | null;
  readonly ms: number;
}

async function guarded(t: TestContext, scheme: string): Promise<Run & { path: string; file: string }> {
  const folder = ownFolder(t);
  const [file, path] = [join(folder, 'badness.toml'), join(folder, 'c.sock')];
  writeFileSync(file, `scheme = ${scheme}\n${SHORT}`);
  const run = start(t, ['guard', '-r', '0', '--json', '--policy', file, '--control', path]);
  await run.until(/"kind":"start"/);
  return Object.assign(run, { path, file });
}

async function stateOf(path: string) {
  return JSON.parse((await get(path, '/state')).body);
}

function linesOf(run: Run, kind: string) {
  return run.text.split('\n').flatMap((line) => (line.includes(`"kind":"${kind}"`) ? [JSON.parse(line)] : []));
}

describe('guard: a plug-in scheme', { skip }, () => {
  test('its points decide, and the report, the state, the ranking and the metrics say so', async (t) => {
    const wasm = wasmFile(t, BY_PLACE);
    const run = await guarded(t, `{ wasm = "${wasm}", fallback = "resident", deadline_ms = 1000 }`);
    await run.until(/"kind":"round".*"outcome":"dry"/);
    const [{ plugin, scheme }] = linesOf(run, 'start');
    assert.deepEqual([plugin, scheme], [wasm, 'resident']);
    const { report } = linesOf(run, 'round').find((line) => line.report.victim);
    const { name, answered, reason }: PluginLine = report.plugin;
    assert.deepEqual([name, answered, reason], [wasm, true, null]);
    assert.ok(report.victim.points > MANY && report.terms.points < MANY, 'a place, and not its pages');
    const state = await stateOf(run.path);
    assert.deepEqual([state.plugin.state, state.plugin.fallbacks, state.plugin.last_error], ['ready', 0, null]);
    const [head, first] = (await get(run.path, '/rank?limit=1')).body
      .split('\n')
      .map((line) => line && JSON.parse(line));
    assert.deepEqual([head.plugin.name, head.plugin.answered, first.points], [wasm, true, MANY + head.eligible - 1]);
    assert.match((await get(run.path, '/metrics')).body, /^badness_plugin_ready 1$/m);
    assert.equal(await run.stop(), 0);
  });

  test('one that loops is cut off within its deadline, the fallback decides in the same round, said once', async (t) => {
    const module = moduleFile(t, LOOPS);
    const run = await guarded(t, `{ module = "${module}", export = "points", deadline_ms = 80 }`);
    await run.until(/"kind":"round".*"outcome":"dry"/);
    const told = linesOf(run, 'plugin').map(({ name, error }) => [name, error]);
    assert.deepEqual(told, [[`${module}#points`, 'did not answer within 80 ms']]);
    const { report } = linesOf(run, 'round').find((line) => line.report.victim);
    assert.deepEqual([report.plugin.answered, report.plugin.ms < 1000], [false, true]);
    assert.equal(report.victim.points, report.terms.points, 'by the fallback');
    const { plugin } = await stateOf(run.path);
    assert.deepEqual([plugin.state, plugin.answered, plugin.last_error], ['waiting', 0, 'did not answer within 80 ms']);
    assert.ok(plugin.fallbacks >= 1);
    const words =
      /^plug-in file:.*#points waiting: decided 0 times, the fallback scheme \d+ times?; cut off last: did not answer/m;
    assert.match((await ctl(run.path, 'state')).stdout, words);
    assert.match((await get(run.path, '/metrics')).body, /^badness_plugin_fallbacks_total [1-9]/m);
    assert.equal(await run.stop(), 0);
    assert.equal(run.errors, '');
  });

  test('what it prints does not get among the lines of the guard', async (t) => {
    const chatter = 'console.log("noise"); console.error("noise"); process.stdout.write("noise");';
    const module = moduleFile(t, `${chatter} export const points = (task) => { ${chatter} return task.points; };`);
    const run = await guarded(t, `{ module = "${module}", export = "points", deadline_ms = 1000 }`);
    await run.until(/"kind":"round".*"outcome":"dry"/);
    assert.equal((await stateOf(run.path)).plugin.answered > 0, true);
    assert.equal(await run.stop(), 0);
    assert.deepEqual([run.text.includes('noise'), run.errors], [false, '']);
  });

  test('one that is none is refused at the start, and by SIGHUP, where the policy before stays', async (t) => {
    const wasm = wasmFile(t, wat({ abi: '' }));
    const asked = badness(['guard', '--scheme', wasm, '--control', 'none', '--domain', 'system']);
    assert.equal(asked.status, 19);
    assert.match(asked.stderr, /^badness: plug-in .*plugin\.wasm: .*must export the function abi_version, got none\n$/);

    const run = await guarded(t, '"resident"');
    writeFileSync(run.file, `scheme = { wasm = "${wasm}" }\n${SHORT}`);
    run.child.kill('SIGHUP');
    await run.until(/"kind":"policy".*must export the function abi_version/);
    assert.equal((await stateOf(run.path)).facts.scheme, 'resident');
    const good = wasmFile(t, BY_PLACE);
    writeFileSync(run.file, `scheme = { wasm = "${good}", deadline_ms = 1000 }\n${SHORT}`);
    run.child.kill('SIGHUP');
    await run.until(/"kind":"policy".*"error":null/);
    const state = await stateOf(run.path);
    assert.deepEqual([state.facts.plugin, state.plugin.state, state.plugin.answered >= 1], [good, 'ready', true]);
    // And away again: its thread ends, and the guard goes on.
    writeFileSync(run.file, SHORT);
    run.child.kill('SIGHUP');
    const gone = async () => {
      while ((await stateOf(run.path)).plugin !== null) await new Promise((look) => setTimeout(look, 10));
    };
    await within(gone());
    assert.equal(await run.stop(), 0);
  });
});
