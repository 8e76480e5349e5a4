import { DomainError } from '#libs/kernel';

/** Farthest moment that a JavaScript date can hold, in ms to either side of the epoch. */
const MAX_TIME_MS = 8.64e15;

/** Refuses a client's date that is not a whole number of ms or lies outside of what dates can hold. INVALID_ARGUMENT. */
export function checkClientTime(ms: number | null | undefined): void {
  if (ms === null || ms === undefined) return;
  if (!Number.isInteger(ms) || Math.abs(ms) > MAX_TIME_MS)
    throw new DomainError('INVALID_ARGUMENT', 'A date must be a whole number of milliseconds.');
}
