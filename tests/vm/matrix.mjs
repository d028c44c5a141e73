// Which scenes there are, who is in them and in which guests; and what a run has to have shown.

export const CONTESTANTS = ['badness', 'earlyoom', 'nohang', 'oomd', 'systemd-oomd', 'kernel'];

/**
 * The scenes of guest/scenes.sh. `ours`: only this project's guard is asked. `swap`: only guests with swap (true) or without (false).
 * `limitS`: seconds after which a guest is ended.
 */
export const SCENES = {
  'global-slow': { says: 'one process takes 10 MiB/s until nothing is left' },
  'global-mid': { says: 'the same at 60 MiB/s' },
  'global-fast': { says: 'the same as fast as it can' },
};

const LIMIT_S = 240;

/** Everybody in every guest that the scene is for. */
export function runsOf({ scenes, contestants, guests, kernels }) {
  const runs = [];
  for (const kernel of kernels) {
    for (const guest of guests) {
      for (const scene of scenes) {
        const { ours, swap, limitS = LIMIT_S } = SCENES[scene];
        if (swap !== undefined && swap !== guest.swapMib > 0) continue;
        for (const contestant of contestants) {
          if (!ours || contestant === 'badness') runs.push({ kernel, ...guest, scene, contestant, limitS });
        }
      }
    }
  }
  return runs;
}

/** What the facts of a guest come to. `missing` says why there is no result. */
export function resultOf(facts) {
  const find = (name) => facts.find(({ fact }) => fact === name);
  const [booted, stage, ended] = ['booted', 'stage', 'ended'].map(find);
  if (!booted) return { missing: 'the guest did not boot' };
  if (!stage) return { missing: 'the guest fell silent before the scene was over' };
  const checks = facts.filter(({ fact }) => fact === 'check');
  const missed = facts.filter(({ fact }) => fact === 'missed').map(({ pattern }) => `never said: ${pattern}`);
  return {
    kernel: booted.kernel,
    contestantRssKib: find('contestant')?.rss_kib ?? null,
    right: stage.culprits_left === 0,
    innocents: stage.innocents_lost,
    kernelKills: stage.kernel_oom_kills,
    reliefMs: stage.relief_ms,
    someMs: stage.psi_some_ms,
    fullMs: stage.psi_full_ms,
    leastAvailableKib: stage.least_available_kib,
    failedChecks: checks
      .filter(({ ok }) => !ok)
      .map(({ name, saw }) => `${name}: ${saw}`)
      .concat(missed),
    checks: checks.length,
    ended: ended !== undefined,
  };
}

/** Why a run of this project's guard is not as it must be; empty when it is. */
export function complaints({ missing, right, innocents, kernelKills, failedChecks, ended }) {
  if (missing) return [missing];
  const found = [...failedChecks];
  if (!right) found.push('the culprit lives');
  if (innocents > 0) found.push(`${innocents} innocent killed`);
  if (kernelKills > 0) found.push(`the kernel killed ${kernelKills}`);
  if (!ended) found.push('the guest fell silent at its end');
  return found;
}
