import { DomainError } from '#libs/kernel';
import { walletAddress } from '#libs/wallets';

import { ROOM_LIMITS, type RoomWish } from './room.js';

const MAX_PASSWORD_BYTES = 256;
const MIN_LIFE_MS = 1_000;

/** What a room will be, checked. The password is still to be hashed; null = none. */
export interface PlannedRoom {
  readonly name: string;
  readonly capacity: number;
  readonly lifeMs: number;
  readonly password: string | null;
  readonly listedOnly: boolean;
  readonly listed: readonly string[];
  readonly maxFiles: number;
  readonly maxBytes: number;
}

/** INVALID_ARGUMENT for what no room can be. */
export function planRoom(wish: RoomWish): PlannedRoom {
  const { listedOnly = false, listed = [], password = '' } = wish;
  if (listed.length > ROOM_LIMITS.listed) throw invalid(`A host lists at most ${ROOM_LIMITS.listed} wallets.`);
  const addresses = listed.map((text) => {
    const address = walletAddress(text);
    if (address === null) throw invalid('A list of wallets holds addresses only.');
    return address;
  });
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) throw invalid(`A password has at most ${MAX_PASSWORD_BYTES} bytes.`);
  return {
    name: checkedPersonName(wish.name),
    capacity: within('number of people', wish.capacity, 1, ROOM_LIMITS.capacity),
    lifeMs: within('lifetime in ms', wish.lifeMs, MIN_LIFE_MS, ROOM_LIMITS.lifeMs),
    password: password === '' ? null : password,
    listedOnly,
    listed: [...new Set(addresses)],
    maxFiles: within('number of files', wish.maxFiles, 1, ROOM_LIMITS.maxFiles),
    maxBytes: within('number of bytes', wish.maxBytes, 1, ROOM_LIMITS.maxBytes),
  };
}

/** A name that people are shown, trimmed; may be empty. INVALID_ARGUMENT. */
export function checkedPersonName(text: string): string {
  const name = text.trim();
  if ([...name].length > ROOM_LIMITS.nameCharacters || /[\p{Cc}\ud800-\udfff]/u.test(name)) {
    throw invalid(`A name has at most ${ROOM_LIMITS.nameCharacters} characters, and no control characters.`);
  }
  return name;
}

function within(
  what: string,
  value: number | undefined,
  least: number,
  { standard, most }: { readonly standard: number; readonly most: number },
): number {
  if (value === undefined) return standard;
  if (!Number.isSafeInteger(value) || value < least || value > most) throw invalid(`The ${what} is a whole number from ${least} to ${most}.`);
  return value;
}

function invalid(message: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', message);
}
