/** Stage: none (settings). Where a guard listens, as data. One guard has one socket, however many domains it watches. */
import { type Check, check, flag, object, oneOf, orNull, text } from './checks.js';

/** The part `control` of a policy file: where a guard listens. */
export interface ControlSettings {
  /** An absolute path, `auto` (the usual place of who runs the guard), or `off`. Default `auto`. */
  readonly socket: string;
  /** Permissions of the socket, four octal digits. Default `0600`. */
  readonly mode: string;
  /** Name of the group that the socket belongs to, or null (the default) for that of who runs the guard. */
  readonly group: string | null;
  /** Whether a task may protect itself through it. Default false. */
  readonly selfProtect: boolean;
}

export type ControlInput = { readonly [K in keyof ControlSettings]?: ControlSettings[K] | undefined };

/** sun_path of a Unix socket holds 107 bytes and a NUL. */
const place = text(/^\/[^\0]{1,106}$/, 'an absolute path of at most 107 characters');
const word = oneOf(['auto', 'off']);
const socket: Check<string> = check({ anyOf: [word.form, place.form] }, (value, path) =>
  typeof value === 'string' && value.startsWith('/') ? place(value, path) : word(value, path),
);
export const control: Check<ControlSettings> = object<ControlSettings>({
  socket: [socket, 'auto'],
  mode: [text(/^0[0-7]{3}$/, `four octal digits such as '0660'`), '0600'],
  group: [orNull(text(/^[^\s:]{1,256}$/, 'the name of a group')), null],
  selfProtect: [flag, false],
});
