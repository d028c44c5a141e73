/** Stage: none (settings). Signatures of policies: Ed25519 by node:crypto. The private key stays with who signs; machines pin the public one. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { BadnessError } from '../../errors.js';
import type { Verify } from '../envelope.js';

const PREFIX = 'ed25519:';
/** What DER has before the 32 bytes of an Ed25519 public key (RFC 8410). */
const DER_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;

/** The text that `fleet.trust` has: `ed25519:` and Base64. */
function publicText(key: KeyObject): string {
  const der = key.export({ type: 'spki', format: 'der' });
  return PREFIX + der.subarray(DER_HEAD.length).toString('base64');
}

/** A new pair: the private key as PEM, the public one as `fleet.trust` has it. */
export function newSigningKey(): { readonly pem: string; readonly trust: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), trust: publicText(publicKey) };
}

/** A private key at work. */
export interface Signer {
  readonly trust: string;
  /** Base64. */
  sign(bytes: Uint8Array): string;
}

/** Of a private key as PEM. Throws BadnessError `EKEYFILE` for what is none. */
export function openSigner(pem: string): Signer {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new BadnessError('EKEYFILE', 'expected an Ed25519 private key as PEM (badness fleet key makes one)', {
      cause,
    });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new BadnessError('EKEYFILE', `expected an Ed25519 private key, got ${key.asymmetricKeyType}`);
  }
  return { trust: publicText(createPublicKey(key)), sign: (bytes) => sign(null, bytes, key).toString('base64') };
}

function publicKey(text: string): KeyObject {
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64');
  if (!text.startsWith(PREFIX) || bytes.length !== KEY_BYTES) {
    throw new RangeError(`expected a public key such as 'ed25519:…', got ${JSON.stringify(text.slice(0, 80))}`);
  }
  return createPublicKey({ key: Buffer.concat([DER_HEAD, bytes]), type: 'spki', format: 'der' });
}

/** Whether one of these keys has signed. Throws RangeError for what is no key. */
export function verifier(trust: readonly string[]): Verify {
  const keys = trust.map(publicKey);
  return (bytes, signature) => {
    const signed = Buffer.from(signature, 'base64');
    return keys.some((key) => verify(null, bytes, key, signed));
  };
}
