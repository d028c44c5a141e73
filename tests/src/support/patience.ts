// How long tests wait for what must come.

/** Much: it bounds only what never comes, and a busy machine may be slow. */
export const PATIENCE_MS = 60_000;
