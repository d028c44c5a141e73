// The sleeping processes that the benches read.
import { existsSync } from 'node:fs';
import { Contestant } from './support.mjs';

/** The crowd in C, or as many shells where nobody can compile. */
export async function startCrowd(folder, wanted) {
  const binary = `${folder}/crowd`;
  const contestant = existsSync(binary)
    ? new Contestant(binary, [String(wanted)])
    : new Contestant('sh', [
        '-c',
        `i=0; while [ $i -lt ${wanted} ]; do sleep 600 & i=$((i+1)); done; echo ready; cat; kill $(jobs -p)`,
      ]);
  if (!(await contestant.ready())) throw new Error(`no crowd of ${wanted} processes`);
  return contestant;
}
