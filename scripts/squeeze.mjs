// Optimises a built engine once more for size. asc stops when a round gains it nothing; Binaryen's own pipeline, run over
// the finished binary, still finds some two per cent, because every helper is by then either inlined or shared.
import { readFileSync, writeFileSync } from 'node:fs';
import binaryen from 'binaryen';

const { Features } = binaryen;
const BASELINE = Features.MutableGlobals | Features.SignExt | Features.NontrappingFPToInt;
const FEATURES = {
  shared: BASELINE | Features.BulkMemory | Features.SIMD128 | Features.Atomics,
  baseline: BASELINE,
};

/**
 * @param {string} path of a WebAssembly file, rewritten in place
 * @param {'shared' | 'baseline'} build says which instructions it may use
 */
export function squeeze(path, build) {
  const module = binaryen.readBinary(readFileSync(path));
  module.setFeatures(FEATURES[build]);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(2);
  module.optimize();
  module.runPasses(['reorder-functions', 'reorder-locals']);
  if (!module.validate()) throw new Error(`${path}: Binaryen made it invalid`);
  writeFileSync(path, module.emitBinary());
  module.dispose();
}
