import { type Fields, wholeNumber } from '../http/fields.js';

/** How long a token or a signed url lives, in seconds (contract 3.1: 3600 where nothing is said). */
export const LIFE = { otherwise: 3_600, min: 1, max: 7 * 24 * 3_600 } as const;

/** `expires_in` in ms. INVALID_ARGUMENT. */
export function lifeOf(fields: Fields): number {
  return wholeNumber(fields, 'expires_in', LIFE) * 1_000;
}
