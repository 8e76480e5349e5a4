import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Signals } from '#libs/signals';

import { RoomEventRepository } from './repositories/room-event.repository.js';
import type { RoomEventType } from './room.js';

/** Signals of this channel name a room in which there is something to read. */
export const ROOMS_CHANNEL = 'rooms';

/** Tells members what happens in their room. */
@Injectable()
export class RoomLog {
  constructor(
    private readonly events: RoomEventRepository,
    private readonly signals: Signals,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Part of the surrounding transaction; listeners are woken when it is committed. */
  async tell(roomId: string, type: RoomEventType, data: object): Promise<void> {
    await this.events.insert(roomId, type, data);
    await this.unitOfWork.afterCommit(() => this.signals.publish(ROOMS_CHANNEL, roomId));
  }
}
