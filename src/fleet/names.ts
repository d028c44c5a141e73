/**
 * Stage: report. Names on the wire: subjects, keys, and hosts and labels as one token of them. Host names are data: whatever could end a
 * token, match many or mean something to a server is written in another way, and two hosts never share a token.
 */

/** The stream that takes in what machines report. */
export const REPORT_STREAM = 'badness';
/** The key-value bucket of policies, the stream behind it, and what its subjects begin with. */
export const POLICY_BUCKET = 'badness-policy';
export const POLICY_STREAM = `KV_${POLICY_BUCKET}`;

/** What machines report. */
export type ReportKind = 'decision' | 'pressure' | 'state';
export const REPORT_KINDS: readonly ReportKind[] = ['decision', 'pressure', 'state'];

const NAME_BYTES_MOST = 255;
const PLAIN = /^[A-Za-z0-9_-]$/;
const TOKEN = /^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+$/;

function checkName(name: string, what: string): void {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes >= 1 && bytes <= NAME_BYTES_MOST && !/\p{Cs}/u.test(name)) return;
  throw new RangeError(`${what} must be text of 1..${NAME_BYTES_MOST} bytes, got ${bytes} bytes`);
}

/** `web-1.example` → `web-1=2Eexample`. Throws RangeError for a name that is empty, has more than 255 bytes, or is no Unicode. */
export function tokenOf(name: string, what = 'the name of a host'): string {
  checkName(name, what);
  const bytes = new TextEncoder().encode(name);
  return Array.from(bytes, (byte) => {
    const letter = String.fromCharCode(byte);
    return byte < 128 && PLAIN.test(letter) ? letter : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

/** The name that `tokenOf` wrote so; null for what it never writes. */
export function nameOf(token: string): string | null {
  if (!TOKEN.test(token)) return null;
  const bytes = [...token.matchAll(/=([0-9A-F]{2})|(.)/g)].map(([, hex, letter]) =>
    hex === undefined ? letter!.charCodeAt(0) : Number.parseInt(hex, 16),
  );
  try {
    const name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
    return tokenOf(name) === token ? name : null;
  } catch {
    return null;
  }
}

/** Where a host reports: `badness.<host>.decision`. */
export function reportSubject(host: string, kind: ReportKind): string {
  return `badness.${tokenOf(host)}.${kind}`;
}

/** Where everybody reports that. */
export function reportSubjects(kind: ReportKind): string {
  return `badness.*.${kind}`;
}

/** Whose report a subject is of; null for any other subject. */
export function reporterOf(subject: string): { readonly host: string; readonly kind: ReportKind } | null {
  const [first, token = '', kind, ...rest] = subject.split('.');
  const host = nameOf(token);
  const known = REPORT_KINDS.find((one) => one === kind);
  return first === 'badness' && host !== null && known && rest.length === 0 ? { host, kind: known } : null;
}

/** Whom a policy is for: everybody, the machines with a label, or one machine. */
export type PolicyTarget =
  | { readonly kind: 'default' }
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'host'; readonly name: string };

/** `default`, `label.<name>`, `host.<name>`. Throws RangeError for a name that cannot be one. */
export function policyKey(target: PolicyTarget): string {
  if (target.kind === 'default') return 'default';
  return `${target.kind}.${tokenOf(target.name, `the name of a ${target.kind}`)}`;
}

/** Whom the policy at a key is for; null for a key that holds none. */
export function targetOf(key: string): PolicyTarget | null {
  if (key === 'default') return { kind: 'default' };
  const [kind, token = '', ...rest] = key.split('.');
  const name = nameOf(token);
  if ((kind !== 'label' && kind !== 'host') || name === null || rest.length > 0) return null;
  return { kind, name };
}

/** As a person writes it: `default`, `label:canary`, `host:web-1.example`. Throws RangeError. */
export function parseTarget(text: string): PolicyTarget {
  if (text === 'default') return { kind: 'default' };
  const [, kind, name] = /^(label|host)[:.](.+)$/s.exec(text) ?? [];
  if (kind === undefined)
    throw new RangeError(`expected default, label:NAME or host:NAME, got ${JSON.stringify(text)}`);
  const target = { kind: kind as 'label' | 'host', name: name! };
  checkName(target.name, `the name of a ${kind}`);
  return target;
}

/** The reverse of `parseTarget`. */
export function targetText(target: PolicyTarget): string {
  return target.kind === 'default' ? 'default' : `${target.kind}:${target.name}`;
}

/** The subject that a key of the bucket is stored under. */
export function policySubject(key: string): string {
  return `$KV.${POLICY_BUCKET}.${key}`;
}
