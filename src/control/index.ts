/** Asking and commanding a guard that runs: the server beside it, and the client. Re-exports only. */
export { askControl, type ControlAnswer, type ControlAsk, controlEvents } from './client.js';
export { Control, openControl } from './control.js';
export type { ControlledGuard, ProtectedName } from './controlled.js';
export { controlledGuard } from './controlled-linux.js';
export { type ControlLimits, LIMITS } from './limits.js';
export { defaultControlPath, findLiveGuard, type LiveGuard, takenError } from './place.js';
export type { ControlOptions } from './settled.js';
export type { ControlState } from './state-resources.js';
