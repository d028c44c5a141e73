/** Stage: all of them. What the world does wrong, as opposed to what a caller does wrong (TypeError, RangeError). */

/** An error with a stable `code` that programs may compare, and the `cause` where there is one. */
export class BadnessError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BadnessError';
    this.code = code;
  }
}
