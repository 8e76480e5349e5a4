import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { RoomEvent, RoomEventType } from '../room.js';

/** Events that one read takes of one room. */
const PAGE = 500;

/** Rows of `room_events`. */
@Injectable()
export class RoomEventRepository {
  constructor(private readonly database: Database) {}

  /** The room's row gives the number, so that numbers are in the order of commits. */
  async insert(roomId: string, type: RoomEventType, data: object): Promise<void> {
    await this.database.run(
      `WITH r AS (UPDATE rooms SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq)
       INSERT INTO room_events (room_id, seq, type, data) SELECT $1, event_seq, $2, $3::jsonb FROM r`,
      [roomId, type, JSON.stringify(data)],
    );
  }

  /** The number of the newest event; 0 when there is none. */
  async newest(roomId: string): Promise<number> {
    const row = await this.database.queryOne<{ seq: number }>('SELECT event_seq AS seq FROM rooms WHERE id = $1', [roomId]);
    return row?.seq ?? 0;
  }

  /** What came in these rooms behind these numbers, in order; the first 500 of each. */
  after(places: readonly { readonly roomId: string; readonly seq: number }[]): Promise<RoomEvent[]> {
    return this.database.query<RoomEvent & Record<string, unknown>>(
      `SELECT e.* FROM unnest($1::uuid[], $2::bigint[]) AS p (room_id, seq)
         CROSS JOIN LATERAL (SELECT e.room_id AS "roomId", e.seq, e.type, e.data FROM room_events e
                              WHERE e.room_id = p.room_id AND e.seq > p.seq ORDER BY e.seq LIMIT ${PAGE}) e
        ORDER BY e."roomId", e.seq`,
      [places.map(({ roomId }) => roomId), places.map(({ seq }) => seq)],
    );
  }
}
