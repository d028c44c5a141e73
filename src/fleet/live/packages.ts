/** Stage: none (packages). The clients of NATS, which only those with a fleet install, loaded when they are needed. */
import { BadnessError } from '../../errors.js';

export const PACKAGES = '@nats-io/transport-node @nats-io/jetstream @nats-io/kv @nats-io/obj';

async function loaded<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    throw new BadnessError('ENOPACKAGE', `a fleet needs packages that are not installed: npm install ${PACKAGES}`, {
      cause,
    });
  }
}

type Transport = typeof import('@nats-io/transport-node');
type Jetstream = typeof import('@nats-io/jetstream');
type Kv = typeof import('@nats-io/kv');
type Objects = typeof import('@nats-io/obj');

/** All that an agent needs. Each rejects with BadnessError `ENOPACKAGE`. */
export const loadTransport = (): Promise<Transport> => loaded(() => import('@nats-io/transport-node'));
export const loadJetstream = (): Promise<Jetstream> => loaded(() => import('@nats-io/jetstream'));
export const loadKv = (): Promise<Kv> => loaded(() => import('@nats-io/kv'));
export const loadObjects = (): Promise<Objects> => loaded(() => import('@nats-io/obj'));
