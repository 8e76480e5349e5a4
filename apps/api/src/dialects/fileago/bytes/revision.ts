import { DomainError } from '#libs/kernel';

/** More digits than a time in ms has for the next 250,000 years: clients write 999999999999999 for the newest revision. */
const NEWEST_DIGITS = 15;
/** Fewer digits than a time in ms after 2001 has: a number of a revision. */
const NUMBER_DIGITS = 11;

/**
 * The revision that a download URL names (contract F15): `latest`, `oldest`, a number from 1, a time in epoch ms (what was newest then), or a huge
 * number for the newest; undefined = the newest. VERSION_INVALID.
 */
export function revisionOf(text: string): number | 'oldest' | { readonly atMs: number } | undefined {
  if (text === 'latest') return undefined;
  if (text === 'oldest') return 'oldest';
  if (!/^\d{1,40}$/.test(text)) throw new DomainError('VERSION_INVALID', 'A revision is a number, "latest" or "oldest".');
  if (text.length >= NEWEST_DIGITS) return undefined;
  return text.length > NUMBER_DIGITS ? { atMs: Number(text) } : Number(text);
}
