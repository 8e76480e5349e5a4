import { DomainError } from '#libs/kernel';

const MIN_CHARACTERS = 8;
const MAX_BYTES = 256;
const NEEDED = [/\p{Lu}/u, /[0-9]/, /[!@#$%^&*()_+]/];

/**
 * INVALID_ARGUMENT (`details.field`) unless a passphrase has at least 8 characters and at most 256 bytes, and among them an uppercase letter, a digit
 * and one of !@#$%^&*()_+.
 */
export function requireStrong(passphrase: string, field: string): void {
  const fits = [...passphrase].length >= MIN_CHARACTERS && Buffer.byteLength(passphrase) <= MAX_BYTES && NEEDED.every((one) => one.test(passphrase));
  if (fits) return;
  throw new DomainError('INVALID_ARGUMENT', `"${field}" needs at least 8 characters, an uppercase letter, a digit and one of !@#$%^&*()_+.`, {
    field,
  });
}
