/** Stage: all of them. The engine for places without threads or SIMD, in a chunk of its own: most callers never load it. */
import bytes from '../dist/badness.baseline.wasm';

export default bytes;
