// Which scenes there are, who is in them and in which guests; and what a run has to have shown.

export const CONTESTANTS = ['badness', 'earlyoom', 'nohang', 'oomd', 'systemd-oomd', 'kernel'];

/**
 * The scenes of guest/scenes.sh. `ours`: only this project's guard is asked. `swap`: only guests with swap (true) or without (false).
 */
export const SCENES = {
  'global-slow': { says: 'one process takes 10 MiB/s until nothing is left' },
  'global-mid': { says: 'the same at 60 MiB/s' },
  'global-fast': { says: 'the same as fast as it can' },
  'memcg-max': { says: 'a group reaches its memory.max; the machine has plenty' },
  'memcg-high': { says: 'a group reaches its memory.high and is slowed down for good' },
  'oom-group': { says: 'two processes in a group with memory.oom.group' },
  'fork-bomb': {
    says: 'forty processes of one bomb, each smaller than the innocents, and new ones for those that die',
  },
  subtree: { says: 'one tool of an agent leaks beyond the budget of them all', ours: true },
  'slow-swap': { says: 'memory and swap fill slowly', swap: true },
  another: { says: 'earlyoom acts at the same moment', ours: true },
  protection: { says: 'oom_score_adj −1000 is mirrored, heeded and restored', ours: true },
  'protection-after-crash': { says: 'the guard that comes after a crash restores it', ours: true },
  'no-koffi': { says: 'without koffi', ours: true },
  'crash-mid-kill': { says: 'the guard is killed between SIGTERM and SIGKILL, and another is started', ours: true },
  'full-disk': { says: 'nowhere to keep its state', ours: true },
  'clock-steps': { says: 'the clock is put back an hour, and on a year', ours: true },
  hidepid: { says: '/proc with hidepid=2, the guard a plain user', ours: true },
};

/** Everybody in every guest that the scene is for. */
export function runsOf({ scenes, contestants, guests, kernels }) {
  const runs = [];
  for (const kernel of kernels) {
    for (const guest of guests) {
      for (const scene of scenes) {
        const { ours, swap } = SCENES[scene];
        if (swap !== undefined && swap !== guest.swapMib > 0) continue;
        for (const contestant of contestants) {
          if (!ours || contestant === 'badness') runs.push({ kernel, ...guest, scene, contestant });
        }
      }
    }
  }
  return runs;
}

/**
 * What the facts of a guest come to. `missing` says why there is no result. Scenes end by themselves in the guest's time, so a guest that had to
 * be ended (`late`) says that this machine is slow, and nothing of the contestant.
 */
export function resultOf({ facts, late }) {
  if (late) return { missing: 'not over in time: this machine is too busy', late };
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
export function complaints({ missing, late, right, innocents, kernelKills, failedChecks, ended }) {
  if (late) return [];
  if (missing) return [missing];
  const found = [...failedChecks];
  if (!right) found.push('the culprit lives');
  if (innocents > 0) found.push(`${innocents} innocent killed`);
  if (kernelKills > 0) found.push(`the kernel killed ${kernelKills}`);
  if (!ended) found.push('the guest fell silent at its end');
  return found;
}
