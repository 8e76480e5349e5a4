import type { RoomEvent, RoomEventType, RoomFile, RoomPerson } from '#libs/rooms';

import { presentFile, presentPerson } from '../session/presenter.js';

const TYPES: Readonly<Record<RoomEventType, string>> = {
  'member-joined': 'UserAdded',
  'member-left': 'UserRemoved',
  'file-added': 'FileAdded',
  'file-progress': 'FileProgress',
  'file-complete': 'FileComplete',
  'file-removed': 'FileRemoved',
  'room-expired': 'SessionExpired',
  'room-destroyed': 'SessionDestroyed',
};

/** What clients of the hub are called with; `eventType` is the method too. */
export interface HubEvent {
  readonly sessionId: string;
  readonly eventType: string;
  readonly data: object;
}

export function presentEvent({ roomId, type, data }: Pick<RoomEvent, 'roomId' | 'type' | 'data'>): HubEvent {
  return { sessionId: roomId, eventType: TYPES[type], data: dataOf(type, data) };
}

function dataOf(type: RoomEventType, data: Readonly<Record<string, unknown>>): object {
  switch (type) {
    case 'member-joined':
    case 'member-left':
      return presentPerson(data as unknown as RoomPerson);
    case 'room-expired':
    case 'room-destroyed':
      return {};
    default: {
      const { completed, arrivedParts, partNumber, heldBytes } = data;
      const file = presentFile({ ...(data as unknown as RoomFile), completedAt: completed === true ? new Date(0) : null });
      return { ...file, uploadedParts: arrivedParts, storedSizeInBytes: heldBytes, ...(partNumber === undefined ? {} : { partNumber }) };
    }
  }
}
