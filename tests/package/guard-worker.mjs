// The thread of a guard, for a bundle of its own.
import 'badness/guard-worker.js';
