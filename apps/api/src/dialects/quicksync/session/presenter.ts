import type { RoomFile, RoomPerson, RoomView } from '#libs/rooms';
import { shownAddress } from '#libs/wallets';

const MIB = 1024 * 1024;

export function presentRole({ role }: Pick<RoomPerson, 'role'>): 'Host' | 'Client' {
  return role === 'host' ? 'Host' : 'Client';
}

export function presentPerson(person: RoomPerson) {
  return { id: person.id, role: presentRole(person), name: person.name, address: shownAddress(person.address) };
}

/** The rules of a session as its members see them. */
export function presentRules({ expiresAt, maxFiles, capacity, maxBytes, passwordProtected, listed }: RoomView) {
  return {
    expiry: expiresAt.toISOString(),
    maxFiles,
    maxUsers: capacity,
    maxTotalMegaBytes: Math.floor(maxBytes / MIB),
    passwordProtected,
    whiteListAddresses: listed.map(shownAddress),
  };
}

/** UploadInfoDto. */
export function presentFile({ memberId, completedAt, id, name, totalParts, declaredBytes, heldBytes }: Omit<RoomFile, 'roomId'>) {
  return {
    creatorId: memberId,
    completed: completedAt !== null,
    fileKey: id,
    fileName: name,
    totalParts,
    originalSizeInBytes: declaredBytes ?? heldBytes,
  };
}
