import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { DomainError } from '#libs/kernel';

import { type MediaBytes, NO_BYTES, totalBytes } from '../media-bytes.js';
import { BYTE_LIMIT, lockedQuotas, quotaOwners } from './quota-sql.js';

/** What an account may use and uses, in bytes. `limitBytes` null = not limited. */
export interface Quota {
  readonly limitBytes: number | null;
  readonly softLimitBytes: number | null;
  /** Every version of every node, the trash included. */
  readonly usedBytes: number;
  /** Held for uploads and copies that are under way. */
  readonly reservedBytes: number;
  readonly media: MediaBytes;
}

interface QuotaRow {
  limit_bytes: number | null;
  soft_limit_bytes: number | null;
  used_bytes: number;
  reserved_bytes: number;
  image_bytes: number;
  audio_bytes: number;
  video_bytes: number;
}

// Both rows are locked in one order (account, then company) and judged together with the values behind the lock, so that a change
// is made in both or in neither. `$7` is by how much used + reserved grow; a change that grows nothing is never refused.
const CHANGE = `
  WITH held AS MATERIALIZED (
    SELECT q.owner_kind, q.owner_id, $7::bigint <= 0 OR q.used_bytes + q.reserved_bytes + $7 <= ${BYTE_LIMIT} AS fits
      FROM ${lockedQuotas('$1')}
  ),
  changed AS (
    UPDATE quotas q
       SET reserved_bytes = q.reserved_bytes + $2, used_bytes = q.used_bytes + $3,
           image_bytes = q.image_bytes + $4, audio_bytes = q.audio_bytes + $5, video_bytes = q.video_bytes + $6
      FROM held h
     WHERE q.owner_kind = h.owner_kind AND q.owner_id = h.owner_id AND (SELECT bool_and(fits) FROM held)
    RETURNING 1
  )
  SELECT count(*) FILTER (WHERE owner_kind = 'account') AS accounts, coalesce(bool_and(fits), false) AS fits,
         (SELECT count(*) FROM changed) AS changed
    FROM held`;

/**
 * Bytes that accounts and companies use. Every change is one statement that checks the limit behind the row lock, so the sum of use and
 * reservations never passes a limit by one byte, whoever races. Joins the surrounding transaction.
 */
@Injectable()
export class QuotaLedger {
  constructor(private readonly database: Database) {}

  /** Makes the rows of an account (and of its company) when they are missing. `limitBytes` 0 = not limited. */
  async ensure(accountId: number, limitBytes: number): Promise<void> {
    await this.database.run(
      `INSERT INTO quotas (owner_kind, owner_id, limit_bytes)
       SELECT owner_kind, owner_id, CASE WHEN owner_kind = 'account' THEN nullif($2::bigint, 0) END FROM ${quotaOwners('$1')}
       ON CONFLICT (owner_kind, owner_id) DO NOTHING`,
      [accountId, limitBytes],
    );
  }

  /** Holds the rows of several accounts and their companies, in the order of everybody else: accounts, then companies. For changes of more than one account. */
  async hold(accountIds: readonly number[]): Promise<void> {
    await this.database.run(
      `SELECT 1 FROM quotas q
        WHERE (q.owner_kind = 'account' AND q.owner_id = ANY($1::bigint[]))
           OR (q.owner_kind = 'company' AND q.owner_id = ANY(ARRAY(SELECT a.company_id FROM accounts a WHERE a.id = ANY($1::bigint[]))))
        ORDER BY q.owner_kind, q.owner_id FOR UPDATE`,
      [accountIds],
    );
  }

  /** Holds `bytes` for something that is about to come. QUOTA_EXCEEDED. */
  async reserve(accountId: number, bytes: number): Promise<void> {
    if (bytes !== 0) await this.change(accountId, bytes, NO_BYTES);
  }

  /** Makes a reservation larger or smaller. QUOTA_EXCEEDED leaves it as it was. */
  async adjustReservation(accountId: number, fromBytes: number, toBytes: number): Promise<void> {
    await this.reserve(accountId, toBytes - fromBytes);
  }

  /** Gives a reservation back. */
  async release(accountId: number, bytes: number): Promise<void> {
    await this.reserve(accountId, 0 - bytes);
  }

  /** Turns a reservation into use; QUOTA_EXCEEDED only for what goes beyond the reservation. */
  async commit(accountId: number, { reservedBytes, add }: { reservedBytes: number; add: MediaBytes }): Promise<void> {
    await this.change(accountId, 0 - reservedBytes, add);
  }

  /** Adds use; negative amounts free space. QUOTA_EXCEEDED when the sum grows past a limit. */
  async add(accountId: number, delta: MediaBytes): Promise<void> {
    await this.change(accountId, 0, delta);
  }

  /** The account's own figures. */
  async get(accountId: number): Promise<Quota> {
    const row = await this.database.queryOne<QuotaRow>(
      `SELECT limit_bytes, soft_limit_bytes, used_bytes, reserved_bytes, image_bytes, audio_bytes, video_bytes
         FROM quotas WHERE owner_kind = 'account' AND owner_id = $1`,
      [accountId],
    );
    if (row === null) return { limitBytes: null, softLimitBytes: null, usedBytes: 0, reservedBytes: 0, media: NO_BYTES };
    const { image_bytes: image, audio_bytes: audio, video_bytes: video } = row;
    return {
      limitBytes: row.limit_bytes,
      softLimitBytes: row.soft_limit_bytes,
      usedBytes: row.used_bytes,
      reservedBytes: row.reserved_bytes,
      media: { image, audio, video, other: row.used_bytes - image - audio - video },
    };
  }

  /** Bytes that may still be reserved, the company's limit included; null = not limited. */
  async freeBytes(accountId: number): Promise<number | null> {
    const row = await this.database.queryOne<{ free: number | null }>(
      `SELECT greatest(min(q.limit_bytes - q.used_bytes - q.reserved_bytes), 0) AS free
         FROM quotas q JOIN ${quotaOwners('$1')} ON o.owner_kind = q.owner_kind AND o.owner_id = q.owner_id
        WHERE q.limit_bytes IS NOT NULL HAVING count(*) > 0`,
      [accountId],
    );
    return row?.free ?? null;
  }

  private async change(accountId: number, reserved: number, used: MediaBytes): Promise<void> {
    const total = totalBytes(used);
    const values = [accountId, reserved, total, used.image, used.audio, used.video, reserved + total];
    const row = await this.database.queryOne<{ accounts: number; fits: boolean; changed: number }>(CHANGE, values);
    if (!row || row.accounts === 0) throw new Error(`account ${accountId} has no quota row`);
    if (!row.fits) throw quotaExceeded();
  }
}

/** QUOTA_EXCEEDED, without figures of a company that the account may not know. */
export function quotaExceeded(): DomainError {
  return new DomainError('QUOTA_EXCEEDED', 'There is not enough space left.');
}
