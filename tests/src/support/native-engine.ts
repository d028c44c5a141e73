/** The engine as native code, as the host of the library opens the other builds. Wants BADNESS_NATIVE_ENGINE (scripts/native-host.mjs). */
import { COLUMN_ALIGN } from '../../../assembly/layout.js';
import { Engine, type EngineAbi } from '../../../src/engine.js';
import { releaseBuilds } from './builds.js';

export function openNativeEngine(maxTasks: number): Engine {
  const { abi, memory } = releaseBuilds.find(({ name }) => name === 'native')!.open(maxTasks);
  const capacity = Math.ceil(maxTasks / COLUMN_ALIGN) * COLUMN_ALIGN;
  return new Engine(abi as unknown as EngineAbi, 'baseline', memory, capacity, 0);
}
