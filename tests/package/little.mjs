// A consumer that wants next to nothing: what it does not use must not come along.
import { DEFAULT_SCHEME } from 'badness';

console.log(DEFAULT_SCHEME);
