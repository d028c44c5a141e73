/** Stage: none (files). What a policy file comes to on a machine of a fleet: which key of the fleet counts for each domain, and what its policy leaves. */
import { definePolicy, type PolicyFile, type PolicyInput, parsePolicy } from '../policy/index.js';

interface Effective {
  readonly input: PolicyInput;
  /** Which policy counts, and what is not as it has it. */
  readonly words: readonly string[];
}

async function effectiveInput({ fleet: settings }: PolicyFile, input: PolicyInput): Promise<Effective> {
  const { fleetFolder, limitPolicy, readStanding } = await import('../fleet/index.js');
  const own = (why: string) => ({ input, words: [`# fleet: ${why}; this file counts`] });
  try {
    const { inForce, takenMs } = readStanding(fleetFolder(settings, input));
    if (inForce === null) return own('no policy of it was taken');
    const { key, revision, step, text } = inForce;
    const limited = limitPolicy(await parsePolicy(text, key), { input, allow: settings.allow });
    const when = new Date(takenMs).toISOString();
    const which = `the policy of ${key}, revision ${revision}${step === 'next' ? ' (rollout)' : ''}, taken ${when}, counts`;
    return { input: limited.input, words: [`# fleet: ${which}`, ...limited.notes.map((note) => `# note: ${note}`)] };
  } catch (error) {
    const { message } = error as Error;
    return own(`what was taken is not known (${message.replaceAll('\n', ' ')})`);
  }
}

/** The file with the policies of its fleet in place of its own, and which those are. A file without a fleet as it is. */
export async function effectiveFile(
  file: PolicyFile,
): Promise<{ readonly file: PolicyFile; readonly words: readonly string[] }> {
  if (file.fleet.servers.length === 0) return { file, words: [] };
  const found = await Promise.all(file.given.policies.map((input) => effectiveInput(file, input)));
  const inputs = found.map(({ input }) => input);
  const given = { ...file.given, policies: inputs };
  return { file: { ...file, policies: inputs.map(definePolicy), given }, words: found.flatMap(({ words }) => words) };
}
