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

/** What a change goes on from: the revision that it replaces, 0 for none, and what is stated there. */
interface Standing {
  readonly revision: number;
  readonly statement: PolicyStatement | null;
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
    const { revision, statement } = await this.#standing(key);
    return statement && { key, revision, statement };
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
   * BadnessError `ENOKEY` without a private key, `EBUSY` when somebody else has changed the key meanwhile; as `get` for a change without `policy`
   * of what nobody trusted has put there: it would withdraw the policy that machines still go by.
   */
  async change(target: PolicyTarget, change: PolicyChange): Promise<KeptPolicy> {
    const key = policyKey(target);
    return this.#replace(key, await this.#standing(key, change.policy !== undefined), change);
  }

  /** A step of a rollout: of `text`, or of the policy that is on its way out already. Rejects as `change`; BadnessError `ENOENT` without one. */
  async rollout(target: PolicyTarget, step: RolloutStep, text?: string): Promise<KeptPolicy> {
    const key = policyKey(target);
    const standing = await this.#standing(key);
    const policy = text ?? standing.statement?.next?.policy;
    if (policy !== undefined) return this.#replace(key, standing, { next: { policy, ...step } });
    throw new BadnessError('ENOENT', `${key}: no policy is on its way out; name its file`);
  }

  /** The policy that is on its way out becomes that of everybody. Rejects as `rollout`. */
  async complete(target: PolicyTarget): Promise<KeptPolicy> {
    const key = policyKey(target);
    const standing = await this.#standing(key);
    const next = standing.statement?.next;
    if (next) return this.#replace(key, standing, { policy: next.policy, next: null });
    throw new BadnessError('ENOENT', `${key}: no policy is on its way out`);
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

  /** `isReplaced`: whatever is stated there counts no more, so it need not be readable. */
  async #standing(key: string, isReplaced = false): Promise<Standing> {
    const entry = await this.#kv.get(key);
    if (entry === null) return { revision: 0, statement: null };
    const { revision } = entry;
    if (entry.operation !== 'PUT') return { revision, statement: null };
    try {
      return { revision, statement: this.#open(entry.string(), key) };
    } catch (error) {
      if (!isReplaced) throw error;
      return { revision, statement: null };
    }
  }

  async #replace(
    key: string,
    { revision: before, statement: stated }: Standing,
    change: PolicyChange,
  ): Promise<KeptPolicy> {
    const signer = this.#signer;
    if (!signer) throw new BadnessError('ENOKEY', 'a policy must be signed: name the file of a private key');
    for (const text of [change.policy, change.next?.policy, change.shadow]) if (text) await parsePolicy(text, key);
    const { policy = null, next = null, shadow = null, sequence = 0 } = stated ?? {};
    const signedMs = this.#wallMs();
    const statement: PolicyStatement = {
      ...{ version: STATEMENT_VERSION, key, sequence: Math.max(sequence + 1, signedMs), signedMs },
      policy: change.policy === undefined ? policy : change.policy,
      next: change.next === undefined ? next : change.next,
      shadow: change.shadow === undefined ? shadow : change.shadow,
    };
    const sealed = sealStatement(statement, (bytes) => signer.sign(bytes));
    return { key, revision: await this.#put(key, sealed, before), statement };
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
