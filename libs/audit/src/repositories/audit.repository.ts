import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { AuditOutcome, AuditRecord, ChainHead, SealedRecord } from '../record.js';

const COLUMNS = `id, at_ms AS "atMs", action, outcome, error, dialect, actor_id AS "actorId", impersonator_id AS "impersonatorId", company_id AS "companyId",
  credential, client, address, request_id AS "requestId", subjects::text AS subjects, params::text AS params, mac, xid::text AS xid`;

/** What a reader of records asks for. Times are ms since the epoch: from is included, to is not. */
export interface AuditFilter {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly accountId?: number | undefined;
  readonly action?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  /** Records of this company only. */
  readonly companyId?: number | undefined;
}

export type ListedRecord = AuditRecord & { readonly position: number | null; readonly hash: Buffer | null };

/** Records and their chain as rows. */
@Injectable()
export class AuditRepository {
  constructor(private readonly database: Database) {}

  /** Writes a record that stands alone. */
  async write(record: string): Promise<void> {
    await this.database.query('SELECT audit_write($1::json)', [record]);
  }

  /** Waits until this transaction alone changes the chain. */
  async lock(): Promise<void> {
    await this.database.lock('audit:chain');
  }

  head(): Promise<ChainHead | null> {
    return this.database.queryOne<ChainHead & Record<string, unknown>>(
      `SELECT base_position AS "basePosition", base_hash AS "baseHash", position, hash, mac FROM audit_heads`,
    );
  }

  async setHead({ basePosition, baseHash, position, hash, mac }: ChainHead, now: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO audit_heads (base_position, base_hash, position, hash, sealed_at, mac) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (one) DO UPDATE SET base_position = $1, base_hash = $2, position = $3, hash = $4, sealed_at = $5, mac = $6`,
      [basePosition, baseHash, position, hash, now, mac],
    );
  }

  /** Records without a place in the chain, oldest first, after the id `after`. */
  unsealed(limit: number, after = '00000000-0000-0000-0000-000000000000'): Promise<AuditRecord[]> {
    return this.database.query<AuditRecord & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM audit_records WHERE position IS NULL AND id > $2::uuid ORDER BY id LIMIT $1`,
      [limit, after],
    );
  }

  /** Gives records their places. */
  async seal(records: readonly SealedRecord[]): Promise<void> {
    await this.database.run(
      `UPDATE audit_records r SET position = s.position, hash = s.hash
         FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS s (id, position, hash) WHERE r.id = s.id AND r.position IS NULL`,
      [records.map((r) => r.id), records.map((r) => r.position), records.map((r) => r.hash)],
    );
  }

  /** Sealed records behind a place, in the order of the chain. */
  sealedAfter(position: number, limit: number): Promise<SealedRecord[]> {
    return this.database.query<SealedRecord & Record<string, unknown>>(
      `SELECT ${COLUMNS}, position, hash FROM audit_records WHERE position > $1 ORDER BY position LIMIT $2`,
      [position, limit],
    );
  }

  /** From here on this transaction sees one moment and writes nothing. Its first statement. */
  async freeze(): Promise<void> {
    await this.database.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  }

  /** A page of records by time, after the id `after` (null: from the first). */
  page({ fromMs, toMs, accountId, action, outcome, companyId }: AuditFilter, after: string | null, limit: number): Promise<ListedRecord[]> {
    const text = companyId === undefined ? PAGE : COMPANY_PAGE;
    const values = [after ?? idBefore(fromMs ?? 0), idBefore(toMs ?? MAX_MS), accountId ?? null, action ?? null, outcome ?? null, limit];
    return this.database.query<ListedRecord & Record<string, unknown>>(text, companyId === undefined ? values : [...values, companyId]);
  }

  /** The last of the first sealed records that are all older than `beforeMs`, at most `limit` places behind the base; null when there is none. */
  lastBefore(basePosition: number, beforeMs: number, limit: number): Promise<{ readonly position: number; readonly hash: Buffer } | null> {
    return this.database.queryOne(
      `SELECT position, hash FROM audit_records
        WHERE position > $1 AND position <= $1 + $3
          AND position < coalesce((SELECT min(y.position) FROM audit_records y WHERE y.position > $1 AND y.position <= $1 + $3 AND y.at_ms >= $2), $1 + $3 + 1)
        ORDER BY position DESC LIMIT 1`,
      [basePosition, beforeMs, limit],
    );
  }

  /** Removes the records up to a place, for this transaction alone allowed. How many there were. */
  async removeUpTo(position: number): Promise<number> {
    await this.database.query(`SELECT set_config('stowage.audit_retention', 'on', true)`);
    return this.database.run('DELETE FROM audit_records WHERE position <= $1', [position]);
  }
}

const MAX_MS = 2 ** 48 - 1;
const CONDITIONS = `r.id > $1::uuid AND r.id < $2::uuid AND ($3::bigint IS NULL OR r.actor_id = $3::bigint OR r.impersonator_id = $3::bigint)
  AND ($4::text IS NULL OR r.action = $4::text) AND ($5::text IS NULL OR r.outcome = $5::text)`;
const PAGE = `SELECT ${COLUMNS}, position, hash FROM audit_records r WHERE ${CONDITIONS} ORDER BY r.id LIMIT $6`;
const COMPANY_PAGE = `SELECT ${COLUMNS}, position, hash FROM audit_records r WHERE r.company_id = $7::bigint AND ${CONDITIONS} ORDER BY r.id LIMIT $6`;

/** An id before all that were made at `ms` or later: ids begin with their time. */
function idBefore(ms: number): string {
  const hex = Math.max(0, Math.min(MAX_MS, Math.floor(ms)))
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
