/** Stage: none (settings). What kind a value is that came as JSON, from whoever sent it. */

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
