// Stage: kill, doctor. In: the text of /proc/PID/status. Out: the few fields the host reads (the engine has its own, full parser).

/** Tgid: the process that a process or thread id belongs to. Undefined when the line is missing. */
export function tgidOf(status: string): number | undefined {
  const tgid = /^Tgid:\s*(\d+)$/m.exec(status)?.[1];
  return tgid === undefined ? undefined : Number(tgid);
}

/** CapEff: asks for effective capabilities by their bit (capabilities(7)). Undefined when the line is missing. */
export function effectiveCapabilities(status: string): ((bit: number) => boolean) | undefined {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (hex === undefined) return undefined;
  const bits = BigInt(`0x${hex}`);
  return (bit) => ((bits >> BigInt(bit)) & 1n) === 1n;
}

/** Effective user id. Undefined when the line is missing. */
export function userOf(status: string): number | undefined {
  const uid = /^Uid:\s*\d+\s+(\d+)/m.exec(status)?.[1];
  return uid === undefined ? undefined : Number(uid);
}
