import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export const OUTBOX_CHANNEL = 'stowage_outbox';

export interface OutboxRow {
  readonly id: number;
  readonly job: string;
  readonly payload: unknown;
  readonly correlationId: string | null;
  readonly createdMs: number;
  /** How much longer the job shall wait, in ms; 0 when it is due. */
  readonly delayMs: number;
}

/** Jobs between the transaction that wants them and the queue. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly database: Database) {}

  async insert(job: string, payload: unknown, correlationId: string | undefined, delayMs: number): Promise<void> {
    await this.database.run(
      `INSERT INTO outbox (job, payload, correlation_id, delay_until)
       VALUES ($1, $2::jsonb, $3, CASE WHEN $4::float8 > 0 THEN now() + $4::float8 * interval '1 millisecond' END)`,
      [job, JSON.stringify(payload), correlationId ?? null, delayMs],
    );
  }

  /** Wakes the relays of all workers. */
  async notify(): Promise<void> {
    await this.database.run(`SELECT pg_notify('${OUTBOX_CHANNEL}', '')`);
  }

  /** Up to `limit` rows of jobs named in `jobs`, oldest first, kept from other relays until the transaction ends. */
  claim(jobs: readonly string[], limit: number): Promise<OutboxRow[]> {
    return this.database.query<OutboxRow & Record<string, unknown>>(
      `SELECT id, job, payload, correlation_id AS "correlationId", (extract(epoch FROM created_at) * 1000)::bigint AS "createdMs",
              greatest(0, ceil(extract(epoch FROM coalesce(delay_until, now()) - clock_timestamp()) * 1000))::float8 AS "delayMs"
         FROM outbox WHERE job = ANY($1::text[]) ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [jobs, limit],
    );
  }

  async remove(ids: readonly number[]): Promise<void> {
    await this.database.run('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [ids]);
  }

  /** Job names in the outbox that `jobs` does not hold. */
  async strangers(jobs: readonly string[]): Promise<string[]> {
    const rows = await this.database.query<{ job: string }>('SELECT DISTINCT job FROM outbox WHERE NOT (job = ANY($1::text[])) LIMIT 20', [jobs]);
    return rows.map((row) => row.job);
  }

  /** How many jobs wait to be put on the queue. */
  async count(): Promise<number> {
    return (await this.database.queryOne<{ count: number }>('SELECT count(*) AS count FROM outbox'))?.count ?? 0;
  }
}
