import { randomHex } from '#libs/kernel';

/** First part of the key in an upload's URL. It names the session, not an object: each writer is given an object of its own. */
const URL_PREFIX = 'uploads/';
const TEMP_NAME = /^\d{1,19}_[0-9a-f]{32}$/;

/** A new name of an upload: the account, then 128 random bits. Knowing it is the right to confirm. */
export function newTempName(accountId: number): string {
  return `${accountId}_${randomHex(16)}`;
}

/** Key of the URL that takes the bytes of an upload. */
export function urlKey(tempName: string): string {
  return URL_PREFIX + tempName;
}

/** The upload behind the key of a URL, or null. */
export function tempNameOf(key: string): string | null {
  const tempName = key.startsWith(URL_PREFIX) ? key.slice(URL_PREFIX.length) : '';
  return isTempName(tempName) ? tempName : null;
}

/** True for a well-formed name of an upload. */
export function isTempName(value: string): boolean {
  return TEMP_NAME.test(value);
}

/** A new object key: nothing in it comes from a user. */
export function newStoreKey(): string {
  const random = randomHex(16);
  return `blobs/${random.slice(0, 2)}/${random}`;
}
