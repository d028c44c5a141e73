/** Stage: none (files). The recordings of a fleet, in the object store of its servers, by names such as `web-1/2026-11-20.proc`. */
import type { ObjectInfo, ObjectStore } from '@nats-io/obj';
import { BadnessError } from '../../errors.js';
import { matchGlob } from '../../policy/glob.js';
import type { FleetConnection } from '../servers.js';
import { RECORDINGS_BUCKET } from '../what-if.js';
import { natsOf } from './connect.js';
import { loadObjects } from './packages.js';

/** A recording that is kept. */
export interface KeptRecording {
  readonly name: string;
  readonly bytes: number;
  readonly digest: string;
  /** When it was put, ms since 1970. */
  readonly wallMs: number;
}

const NAME_LETTERS_MOST = 400;

const keptOf = ({ name, size, digest, mtime }: ObjectInfo): KeptRecording => ({
  ...{ name, bytes: size, digest, wallMs: Date.parse(mtime) },
});

/** Made by `fleet.recordings()`. What it asks rejects as the client of NATS does while there is no server. */
export class FleetRecordings {
  readonly #objects: ObjectStore;

  private constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  /** Rejects with BadnessError `ENOFLEET` when the bucket is not there. */
  static async open(connection: FleetConnection): Promise<FleetRecordings> {
    const { Objm } = await loadObjects();
    try {
      const objects = await new Objm(natsOf(connection)).open(RECORDINGS_BUCKET, false);
      await objects.status();
      return new FleetRecordings(objects);
    } catch (cause) {
      const words = `expected the bucket ${RECORDINGS_BUCKET}, found none; badness fleet setup makes it`;
      throw new BadnessError('ENOFLEET', words, { cause });
    }
  }

  /** Puts one there, or another one in its place. Throws RangeError for a name of no or more than 400 letters. */
  async put(name: string, bytes: Uint8Array): Promise<KeptRecording> {
    if (name === '' || name.length > NAME_LETTERS_MOST) {
      throw new RangeError(`the name of a recording must have 1..${NAME_LETTERS_MOST} letters, got ${name.length}`);
    }
    return keptOf(await this.#objects.putBlob({ name }, bytes));
  }

  /** Those whose name the pattern (`*`, `?`) matches, by their names. */
  async list(pattern = '*'): Promise<KeptRecording[]> {
    const found = await this.#objects.list();
    const named = found.filter(({ name, deleted }) => !deleted && matchGlob(pattern, name));
    return named.map(keptOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What stands there, when it is still the one with this digest; null for another one, or none. */
  async read(name: string, digest: string): Promise<Uint8Array | null> {
    const info = await this.#objects.info(name);
    return info !== null && !info.deleted && info.digest === digest ? this.#objects.getBlob(name) : null;
  }

  /** True when it was there. */
  async remove(name: string): Promise<boolean> {
    const info = await this.#objects.info(name);
    if (info === null || info.deleted) return false;
    await this.#objects.delete(name);
    return true;
  }
}
