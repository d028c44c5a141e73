/** Stage: table → selection, of a recording. Whom a policy would choose at a snapshot, and the decision record of it. */
import { type Decision, decisions, recordDecision } from '../decision.js';
import type { Engine } from '../engine.js';
import type { Choice } from '../guard/world.js';
import { compileRules } from '../policy/compiled-rule.js';
import { namedScheme } from '../policy/plugin-scheme.js';
import { definePolicy, type Policy } from '../policy/policy.js';
import { selectBy } from '../policy/rank-by.js';
import { RowRules } from '../policy/row-rules.js';
import { totalPagesOf } from '../pressure/memory-state.js';
import { exemptNever } from '../proc/never.js';
import { ProcTexts } from '../proc/rule-texts.js';
import type { Machine } from '../task.js';
import { loadRecorded, RecordedMemory, type RecordedReading } from './load.js';
import type { RecordedFiles } from './recorded-files.js';

/** A policy at work on a recording. Signals nobody. */
export class RecordedChooser {
  readonly policy: Policy;
  readonly memory: RecordedMemory;
  readonly engine: Engine;
  readonly #files: RecordedFiles;
  readonly #rules: RowRules | null;

  /** @internal */
  constructor(engine: Engine, files: RecordedFiles, policy: Policy, rules: RowRules | null) {
    this.engine = engine;
    this.policy = policy;
    this.memory = new RecordedMemory(files);
    this.#files = files;
    this.#rules = rules;
  }

  /** The tasks of the snapshot that the files stand at, and whom the policy chooses of them. Throws as loadRecorded. */
  choose(): Choice & { reading: RecordedReading } {
    const reading = loadRecorded(this.engine, this.#files, { exempt: exemptNever(this.policy.never) });
    return { ...this.chooseAmong(reading.machine), reading };
  }

  /** Whom it chooses among the tasks that stand in the engine already, with the flags that they have. */
  chooseAmong(machine: Machine): Choice {
    const { engine, policy } = this;
    const { domain } = this.#files.recording.facts;
    const options = {
      ...policy.parameters,
      scheme: namedScheme(policy),
      totalPages: this.#totalPages(machine),
      ...(domain.kind === 'measured' && domain.rootTgid > 0 ? { rootTgid: domain.rootTgid } : {}),
    };
    const rules = this.#rules;
    return { ...selectBy(engine, options, { rules }), tasks: engine.count, options, rules };
  }

  /** The same, and the canonical record of it: equal bytes on every runtime and build, but for its number. */
  decide(): Decision {
    const { options, slot } = this.choose();
    recordDecision(this.engine, options, slot);
    return decisions(this.engine, 1)[0]!;
  }

  /** Memory and swap of the domain, which kernel schemes scale by; of the machine where nobody measured the domain. */
  #totalPages(machine: Machine): number {
    const { memory, tasks } = this.#files.facts;
    // Records say what they were scored by; of files the memory of the domain does.
    if (tasks !== null && (memory === null || machine.totalPages > 0)) return machine.totalPages;
    return totalPagesOf(this.memory.read(), machine.pageSize);
  }
}

/**
 * Opens a policy (default: that of an empty one) for the recording that the files are of, on an engine with room for its tasks.
 * Users that its rules name are those that the recording knows. Rejects with TypeError for a scheme from a module, RangeError
 * for a rule that cannot be compiled.
 */
export async function openRecordedChooser(
  engine: Engine,
  files: RecordedFiles,
  policy: Policy = definePolicy(),
): Promise<RecordedChooser> {
  namedScheme(policy);
  const { users } = files.recording.facts;
  const compiled = await compileRules(policy.rules, { uidOf: (name) => users.get(name) });
  // As many are looked at as by a guard; nothing is waited for: the texts are here.
  const texts = new ProcTexts(files, { now: () => 0 });
  const rules = compiled.length > 0 ? new RowRules(engine, compiled, texts) : null;
  return new RecordedChooser(engine, files, policy, rules);
}
