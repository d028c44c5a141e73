/** Says what the event loop of this thread can be asked. */
import { parentPort } from 'node:worker_threads';
import { loadNative } from '../../../src/linux/native.js';

const { native } = await loadNative();
parentPort!.postMessage(native!.eventLoop);
