// Puts text into a window, for the specs of everything that reads one.

import { W_TEXT } from '../../assembly/layout';

/** Writes `text`, one byte a character, and returns how many bytes. */
export function text_put(w: u32, text: string): u32 {
  for (let i = 0; i < text.length; ++i) store<u8>(w + i, <u8>text.charCodeAt(i), W_TEXT);
  return text.length;
}
