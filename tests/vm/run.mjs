// Runs scenes in guests, one at a time, and writes what was seen: every fact as a line of NDJSON, and a line a run for people.
import { appendFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeImage } from './image.mjs';
import { qemuVersion, runGuest } from './machine.mjs';
import { complaints, resultOf, runsOf } from './matrix.mjs';
import { cacheFolder, fetchBase, fetchKernel } from './packages.mjs';

/** What is missing on this machine, or could not be fetched. */
export class CannotRun extends Error {}

function fetched(what, fetch) {
  try {
    return fetch();
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const words = String(error.stderr || error.message)
      .trim()
      .split('\n')
      .at(-1);
    throw new CannotRun(`${what} cannot be fetched: ${words}`);
  }
}

/** Images of drivers that were ended before they could remove them. */
function removeLeftImages() {
  for (const file of readdirSync(cacheFolder())) {
    const [, pid] = /^root-(\d+)\.ext4$/.exec(file) ?? [];
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(cacheFolder(), file), { force: true });
  }
}

/** Everything that guests are made of. Throws CannotRun where that cannot be had. */
async function prepare(kernelNames) {
  const qemu = qemuVersion();
  if (!qemu) throw new CannotRun('qemu-system-x86_64 is not installed (Debian: qemu-system-x86)');
  const base = fetched('the packages of the guest', fetchBase);
  const kernels = new Map(kernelNames.map((name) => [name, fetched(`kernel ${name}`, () => fetchKernel(name))]));
  removeLeftImages();
  const image = await makeImage(base.folder, join(cacheFolder(), `root-${process.pid}.ext4`));
  return { qemu, versions: base.versions, kernels, image };
}

function named({ kernel, memoryMib, swapMib, scene, contestant }) {
  return `${kernel} ${memoryMib}+${swapMib} ${scene} ${contestant}`;
}

function words(result, bad) {
  if (result.missing) return result.missing;
  const { reliefMs, kernelKills, innocents, right, someMs } = result;
  const seen = `${right ? 'right' : 'culprit lives'}, innocents ${innocents}, kernel ${kernelKills}, relief ${reliefMs ?? '–'} ms, stalled ${someMs} ms`;
  return bad.length > 0 ? `${seen}: ${bad.join('; ')}` : seen;
}

/** qemu's TCG sometimes breaks a kernel before its first process, which says nothing of anybody: then once more, at most so often. */
const BOOTS_MOST = 3;

/** One guest. */
async function play(run, { kernels, image }, { clock, limitS, verbose }) {
  const { kernel, memoryMib, swapMib, scene, contestant } = run;
  const guestOf = { memoryMib, swapMib, settings: { scene, contestant }, limitS, clock };
  for (let boots = 1; ; boots++) {
    const guest = await runGuest({ ...guestOf, kernel: kernels.get(kernel).file, image });
    if (verbose) console.log(guest.lines.join('\n'));
    const booted = guest.facts.some(({ fact }) => fact === 'booted');
    if (booted || guest.late || boots === BOOTS_MOST) return guest;
  }
}

/** Runs all of it. Returns the number of runs of this project's guard that were not as they must be. */
export async function runMatrix({ out, verbose, clock, limitS, ...wanted }) {
  const runs = runsOf(wanted);
  const parts = await prepare(wanted.kernels);
  if (out) writeFileSync(out, '', { flag: 'a' });
  let failed = 0;
  try {
    for (const run of runs) {
      const guest = await play(run, parts, { clock, limitS, verbose });
      const result = resultOf(guest);
      const bad = run.contestant === 'badness' ? complaints(result) : [];
      if (bad.length > 0) failed += 1;
      if (bad.length > 0 && !verbose) console.log(guest.lines.slice(-40).join('\n'));
      console.log(
        `${bad.length > 0 ? 'FAILED ' : result.late ? 'skipped' : 'ok     '} ${named(run)}: ${words(result, bad)}`,
      );
      const log = guest.lines.filter((line) => line.startsWith('@'));
      if (out)
        appendFileSync(
          out,
          `${JSON.stringify({ ...run, clock, wallMs: guest.wallMs, result, facts: guest.facts, log })}\n`,
        );
    }
  } finally {
    rmSync(parts.image, { force: true });
  }
  return failed;
}
