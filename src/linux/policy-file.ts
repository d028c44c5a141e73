/** Stage: none (files). A policy file on disk. */
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { BadnessError } from '../errors.js';
import { type PolicyFile, parsePolicy } from '../policy/policy-file.js';
import { errorCode } from './identity.js';

/** What is longer is no policy file. */
const FILE_BYTES = 1 << 20;

async function readText(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(FILE_BYTES + 1);
    let length = 0;
    // A pipe gives what it has, and the rest later.
    for (let got = 1; got > 0; length += got) {
      ({ bytesRead: got } = await file.read(bytes, length, bytes.length - length));
    }
    if (length > FILE_BYTES) throw new RangeError(`more than ${FILE_BYTES} bytes`);
    const text = bytes.subarray(0, length);
    if (!isUtf8(text)) throw new RangeError('text that is not UTF-8');
    return text.toString('utf8');
  } finally {
    await file.close();
  }
}

/**
 * Reads a policy file of at most 1 MiB. Rejects with PolicyFileError (`EPOLICY`) for what is wrong in it, with BadnessError
 * `EPOLICYFILE` when it cannot be read; whatever was in force still is, so a guard that reads it again goes on with that.
 */
export async function loadPolicyFile(path: string): Promise<PolicyFile> {
  let text: string;
  try {
    text = await readText(path);
  } catch (error) {
    const code = errorCode(error);
    const why = code === 'UNKNOWN' ? (error as Error).message : code;
    throw new BadnessError('EPOLICYFILE', `expected a policy file at ${path}, got ${why}`, { cause: error });
  }
  return parsePolicy(text, path);
}
