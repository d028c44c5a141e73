/** Stage: none (settings). The policies of a fleet, for who keeps them: put, rolled out in steps, rolled back, and who has taken what. */
import type { KV } from '@nats-io/kv';
import { BadnessError } from '../../errors.js';
import { parsePolicy } from '../../policy/index.js';
import { openEnvelope, type PolicyStatement, type RolloutStep, STATEMENT_VERSION, sealStatement } from '../envelope.js';
import { POLICY_BUCKET, type PolicyTarget, policyKey, targetOf } from '../names.js';
import type { StateReport } from '../report.js';
import type { FleetConnection } from '../servers.js';
import { natsOf } from './connect.js';
import { loadKv } from './packages.js';
import { readReports } from './report-reader.js';
import { HISTORY } from './setup.js';
import { openSigner, type Signer, verifier } from './signing.js';

/** What stands at a key, or stood. */
export interface KeptPolicy {
  readonly key: string;
  /** Of the bucket; rollback takes it. */
  readonly revision: number;
  readonly statement: PolicyStatement;
}

/** What is to stand at a key; what is left out stays. */
export interface PolicyChange {
  /** Null withdraws it. */
  readonly policy?: string | null;
  readonly next?: PolicyStatement['next'];
  readonly shadow?: string | null;
}

/** Who signs, and whom to believe. */
export interface FleetPoliciesOptions {
  /** A private key, as PEM; without one nothing can be changed. */
  readonly pem?: string;
  /** Public keys that are trusted besides that of `pem`. */
  readonly trust?: readonly string[];
  /** Milliseconds since 1970. Default the clock of this machine. */
  readonly wallMs?: () => number;
}

/** The policies of a fleet: looked at by everybody who may connect, changed by who has the key. */
export class FleetPolicies {
  readonly #connection: FleetConnection;
  readonly #kv: KV;
  readonly #signer: Signer | null;
  readonly #trust: readonly string[];
  readonly #wallMs: () => number;

  private constructor(connection: FleetConnection, kv: KV, options: FleetPoliciesOptions) {
    const { pem, trust = [], wallMs = Date.now } = options;
    this.#connection = connection;
    this.#kv = kv;
    this.#signer = pem === undefined ? null : openSigner(pem);
    this.#trust = [...trust, ...(this.#signer ? [this.#signer.trust] : [])];
    this.#wallMs = wallMs;
  }

  /** Rejects with BadnessError `ENOFLEET` when the bucket is not there, `EKEYFILE`. */
  static async open(connection: FleetConnection, options: FleetPoliciesOptions = {}): Promise<FleetPolicies> {
    const { Kvm } = await loadKv();
    try {
      const kv = await new Kvm(natsOf(connection)).open(POLICY_BUCKET);
      await kv.status();
      return new FleetPolicies(connection, kv, options);
    } catch (cause) {
      if (cause instanceof BadnessError) throw cause;
      throw new BadnessError(
        'ENOFLEET',
        `expected the bucket ${POLICY_BUCKET}, found none; badness fleet setup makes it`,
        { cause },
      );
    }
  }

  /** What stands there now; null for nothing. Rejects with BadnessError `ESIGNATURE`, `EENVELOPE`, `EKEY` for what nobody trusted has put there. */
  async get(target: PolicyTarget): Promise<KeptPolicy | null> {
    const key = policyKey(target);
    const entry = await this.#kv.get(key);
    if (entry === null || entry.operation !== 'PUT') return null;
    return { key, revision: entry.revision, statement: this.#open(entry.string(), key) };
  }

  /** Of an earlier revision. Rejects with BadnessError `ENODATA` when it is not kept (64 a key are), and as `get`. */
  async at(target: PolicyTarget, revision: number): Promise<KeptPolicy> {
    const key = policyKey(target);
    for await (const entry of await this.#kv.history({ key })) {
      if (entry.revision !== revision || entry.operation !== 'PUT') continue;
      return { key, revision, statement: this.#open(entry.string(), key) };
    }
    throw new BadnessError('ENODATA', `${key}: revision ${revision} is not kept; the last ${HISTORY} are`);
  }

  /** Everything that stands somewhere now; what nobody trusted has put there is left out. */
  async all(): Promise<KeptPolicy[]> {
    const kept: KeptPolicy[] = [];
    for await (const key of await this.#kv.keys()) {
      const target = targetOf(key);
      const found = target && (await this.get(target).catch(() => null));
      if (found) kept.push(found);
    }
    return kept;
  }

  /**
   * Signs and puts, in one step; answers the new revision. Policies are read first, and a bad one goes nowhere. Rejects with PolicyFileError, with
   * BadnessError `ENOKEY` without a private key, `EBUSY` when somebody else has changed the key meanwhile.
   */
  async change(target: PolicyTarget, change: PolicyChange): Promise<KeptPolicy> {
    const key = policyKey(target);
    const signer = this.#signer;
    if (!signer) throw new BadnessError('ENOKEY', 'a policy must be signed: name the file of a private key');
    for (const text of [change.policy, change.next?.policy, change.shadow]) if (text) await parsePolicy(text, key);
    const entry = await this.#kv.get(key);
    // What is forged is replaced, and what it says is nothing to go on from.
    const before = await this.get(target).catch(() => null);
    const { policy = null, next = null, shadow = null, sequence = 0 } = before?.statement ?? {};
    const signedMs = this.#wallMs();
    const statement: PolicyStatement = {
      ...{ version: STATEMENT_VERSION, key, sequence: Math.max(sequence + 1, signedMs), signedMs },
      policy: change.policy === undefined ? policy : change.policy,
      next: change.next === undefined ? next : change.next,
      shadow: change.shadow === undefined ? shadow : change.shadow,
    };
    const sealed = sealStatement(statement, (bytes) => signer.sign(bytes));
    const revision = await this.#put(key, sealed, entry?.revision ?? 0);
    return { key, revision, statement };
  }

  /** A step of a rollout: of `text`, or of the policy that is on its way out already. Rejects as `change`; BadnessError `ENOENT` without one. */
  async rollout(target: PolicyTarget, step: RolloutStep, text?: string): Promise<KeptPolicy> {
    const policy = text ?? (await this.get(target))?.statement.next?.policy;
    if (policy === undefined) {
      throw new BadnessError('ENOENT', `${policyKey(target)}: no policy is on its way out; name its file`);
    }
    return this.change(target, { next: { policy, ...step } });
  }

  /** The policy that is on its way out becomes that of everybody. Rejects as `rollout`. */
  async complete(target: PolicyTarget): Promise<KeptPolicy> {
    const next = (await this.get(target))?.statement.next;
    if (!next) throw new BadnessError('ENOENT', `${policyKey(target)}: no policy is on its way out`);
    return this.change(target, { policy: next.policy, next: null });
  }

  /** What stood there at a revision stands there again, signed anew. Rejects as `at` and `change`. */
  async rollback(target: PolicyTarget, revision: number): Promise<KeptPolicy> {
    const { policy, next, shadow } = (await this.at(target, revision)).statement;
    return this.change(target, { policy, next, shadow });
  }

  /** How each machine stands, as it said last. */
  async states(): Promise<StateReport[]> {
    const states: StateReport[] = [];
    for await (const report of readReports(this.#connection, { kind: 'state', since: 'last' })) {
      if (report.kind === 'state') states.push(report);
    }
    return states;
  }

  #open(text: string, key: string): PolicyStatement {
    // Who only looks need not have a key: then whatever can be read is shown.
    const verify = this.#trust.length === 0 ? () => true : verifier(this.#trust);
    return openEnvelope(text, key, verify);
  }

  async #put(key: string, sealed: string, revision: number): Promise<number> {
    try {
      return await this.#kv.put(key, sealed, { previousSeq: revision });
    } catch (cause) {
      const { code } = cause as { code?: number };
      if (code !== 10071) throw cause;
      throw new BadnessError('EBUSY', `${key} was changed by somebody else at this moment; look at it and try again`, {
        cause,
      });
    }
  }
}
