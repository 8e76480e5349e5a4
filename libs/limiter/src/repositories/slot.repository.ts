import { Injectable } from '@nestjs/common';

import { Database, UnitOfWork } from '#libs/database';
import { Call } from '#libs/kernel';

import type { SlotStore, SlotTaking } from '../slot-store.js';

interface TakenRow {
  first_expiry: Date | null;
  slot: string | null;
}

// Runs behind the bucket's advisory lock, so nobody counts at the same time. `window_start` names a slot; it is moved by a microsecond
// when two slots are taken in one millisecond.
const TAKE = `
  WITH held AS (
    SELECT count(*) AS taken, min(expires_at) AS first_expiry, max(window_start) AS latest
      FROM limiter_slots WHERE bucket = $1 AND expires_at > $2::timestamptz
  ),
  added AS (
    INSERT INTO limiter_slots (bucket, window_start, taken, expires_at)
    SELECT $1, greatest($2::timestamptz, latest + interval '1 microsecond'), 1, $3::timestamptz FROM held WHERE taken < $4::int
    ON CONFLICT (bucket, window_start) DO UPDATE SET expires_at = excluded.expires_at
    RETURNING window_start::text AS slot
  )
  SELECT first_expiry, (SELECT slot FROM added) AS slot FROM held`;

/** Slots as rows: the store that is always there. They are no part of what a call changes. */
@Injectable()
export class SlotRepository implements SlotStore {
  constructor(
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async take(bucket: string, limit: number, windowMs: number, nowMs: number): Promise<SlotTaking> {
    const take = async (): Promise<TakenRow | null> => {
      await this.database.lock(`limiter:${bucket}`);
      return this.database.queryOne<TakenRow>(TAKE, [bucket, new Date(nowMs), new Date(nowMs + windowMs), limit]);
    };
    const row = await Call.aside(() => this.unitOfWork.run(take));
    if (row !== null && row.slot !== null) return { slot: row.slot };
    return { slot: null, retryAfterMs: Math.max(1, (row?.first_expiry?.getTime() ?? nowMs + windowMs) - nowMs) };
  }

  async release(bucket: string, slot: string): Promise<void> {
    await Call.aside(() => this.database.run('DELETE FROM limiter_slots WHERE bucket = $1 AND window_start = $2::timestamptz', [bucket, slot]));
  }

  async clear(bucket: string): Promise<void> {
    await Call.aside(() => this.database.run('DELETE FROM limiter_slots WHERE bucket = $1', [bucket]));
  }

  /** Removes up to `count` slots that ended before `nowMs`; how many there were. */
  removeExpired(nowMs: number, count: number): Promise<number> {
    return this.database.run(
      `DELETE FROM limiter_slots WHERE (bucket, window_start) IN
         (SELECT bucket, window_start FROM limiter_slots WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [new Date(nowMs), count],
    );
  }
}
