import { Injectable } from '@nestjs/common';

import { RoomEventRepository } from './repositories/room-event.repository.js';
import type { RoomEvent } from './room.js';

/** What happened in rooms, for those who push it. */
@Injectable()
export class RoomEvents {
  constructor(private readonly rows: RoomEventRepository) {}

  /** The number of the newest event of a room: what follows it is new. */
  newest(roomId: string): Promise<number> {
    return this.rows.newest(roomId);
  }

  /** What came in these rooms behind these numbers, in order; one statement, and at most 500 of each room. */
  async after(places: ReadonlyMap<string, number>): Promise<RoomEvent[]> {
    return places.size === 0 ? [] : this.rows.after([...places].map(([roomId, seq]) => ({ roomId, seq })));
  }
}
