import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Making } from '../formats.js';

export type PreviewState = 'new' | 'processing' | 'ready' | 'error' | 'unsupported';

export interface Preview {
  readonly state: PreviewState;
  readonly kinds: readonly string[];
  readonly metainfo: Readonly<Record<string, string | number>> | null;
  /** When the last run ended; null before. */
  readonly endedAtMs: number | null;
}

export interface Rendition {
  readonly kind: string;
  readonly storeKey: string;
  readonly contentType: string;
  readonly sizeBytes: number;
}

/** A wish for previews of one content. */
export interface Wish {
  readonly blobId: string;
  readonly making: Making;
  /** A company, or minus the account that has none: those in whose name the content lies. */
  readonly tenantId: number;
}

/** A preview that this process makes now. */
export interface Work extends Wish {
  readonly attempt: number;
  readonly storeKey: string;
  readonly sizeBytes: number;
}

/** A version that the scan passes. */
export interface ScannedVersion {
  readonly id: string;
  readonly blobId: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly tenantId: number;
}

const TENANT = 'coalesce(a.company_id, -a.id)';

/** Rows of `previews`, of the turns between companies, and of the scan for new versions. */
@Injectable()
export class PreviewRepository {
  constructor(private readonly database: Database) {}

  find(blobId: string, making: Making): Promise<Preview | null> {
    return this.database.queryOne<Preview & Record<string, unknown>>(
      `SELECT state, kinds, metainfo, (extract(epoch FROM ended_at) * 1000)::float8 AS "endedAtMs" FROM previews WHERE blob_id = $1 AND format = $2`,
      [blobId, making],
    );
  }

  /** The company of a space, or minus its account. */
  async tenantOf(spaceId: string): Promise<number> {
    const row = await this.database.queryOne<{ tenant: number }>(
      `SELECT ${TENANT} AS tenant FROM spaces s JOIN accounts a ON a.id = s.account_id WHERE s.id = $1`,
      [spaceId],
    );
    return row?.tenant ?? 0;
  }

  /**
   * Puts contents into the queues of their companies, but none that is sealed; those that are known already stay as they are. Must run in a transaction. Returns how many are new.
   */
  async enqueue(wishes: readonly Wish[], urgent: boolean, now: Date): Promise<number> {
    if (wishes.length === 0) return 0;
    const added = await this.database.query<{ tenant_id: number }>(
      `INSERT INTO previews (blob_id, format, tenant_id, urgent, requested_at)
       SELECT DISTINCT ON (b.id, w.format) b.id, w.format, w.tenant_id, $4, $5
         FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS w (blob_id, format, tenant_id) JOIN blobs b ON b.id = w.blob_id
        WHERE NOT EXISTS (SELECT 1 FROM sealed_blobs s WHERE s.blob_id = b.id)
        ORDER BY b.id, w.format
       ON CONFLICT (blob_id, format) DO NOTHING RETURNING tenant_id`,
      [wishes.map((wish) => wish.blobId), wishes.map((wish) => wish.making), wishes.map((wish) => wish.tenantId), urgent, now],
    );
    await this.giveTurns(
      added.map((row) => row.tenant_id),
      urgent,
    );
    return added.length;
  }

  /**
   * Puts one content to the front of its company's queue: a new one, one that waits, or one whose last run ended before `again`. What was made
   * before stays until it is replaced. Must run in a transaction. False when nothing is to be done.
   */
  async urge({ blobId, making, tenantId }: Wish, again: Date, now: Date): Promise<boolean> {
    const row = await this.database.queryOne<{ tenant_id: number }>(
      `INSERT INTO previews (blob_id, format, tenant_id, urgent, requested_at) SELECT id, $2, $3, true, $5 FROM blobs WHERE id = $1
       ON CONFLICT (blob_id, format) DO UPDATE SET state = 'new', urgent = true, attempts = 0, requested_at = $5
          WHERE previews.state = 'new' AND NOT previews.urgent OR previews.state IN ('ready', 'error', 'unsupported') AND previews.ended_at < $4
       RETURNING tenant_id`,
      [blobId, making, tenantId, again, now],
    );
    if (row) await this.giveTurns([row.tenant_id], true);
    return row !== null;
  }

  /**
   * Takes the next preview: of the company that has had no turn for the longest time, one that somebody waits for before others unless `fair`. Must
   * run in a transaction. Null when nothing waits, except for what is just being added.
   */
  async take(fair: boolean, now: Date, leaseUntil: Date): Promise<Work | null> {
    // takers one after the other: skipping each other's turns, they would believe that nothing waits
    await this.database.lock('previews:take');
    for (;;) {
      const turn = await this.database.queryOne<{ tenant_id: number; urgent: boolean }>(
        `SELECT tenant_id, urgent FROM preview_turns
          ORDER BY CASE WHEN $1 THEN false ELSE NOT urgent END, served_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
        [fair],
      );
      if (!turn) return null;
      // A second statement: what was added while we waited for nobody is seen by it. Whoever adds holds the turn until he commits.
      const work = await this.database.queryOne<Work & Record<string, unknown>>(
        `UPDATE previews p SET state = 'processing', attempts = p.attempts + 1, lease_until = $4
           FROM (SELECT blob_id, format FROM previews WHERE tenant_id = $1 AND urgent = $2 AND state = 'new'
                  ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED) AS next, blobs b
          WHERE p.blob_id = next.blob_id AND p.format = next.format AND b.id = p.blob_id AND $3::timestamptz IS NOT NULL
         RETURNING p.blob_id AS "blobId", p.format AS making, p.tenant_id AS "tenantId", p.attempts AS attempt, b.store_key AS "storeKey", b.size_bytes AS "sizeBytes"`,
        [turn.tenant_id, turn.urgent, now, leaseUntil],
      );
      if (work) {
        await this.database.run('UPDATE preview_turns SET served_at = clock_timestamp() WHERE tenant_id = $1 AND urgent = $2', [
          turn.tenant_id,
          turn.urgent,
        ]);
        return work;
      }
      await this.database.run('DELETE FROM preview_turns WHERE tenant_id = $1 AND urgent = $2', [turn.tenant_id, turn.urgent]);
    }
  }

  /** How many previews are being made in the whole installation. */
  async busy(now: Date): Promise<number> {
    const row = await this.database.queryOne<{ count: number }>(`SELECT count(*) FROM previews WHERE state = 'processing' AND lease_until > $1`, [
      now,
    ]);
    return Number(row?.count ?? 0);
  }

  /** Whether anything waits. */
  async waiting(): Promise<boolean> {
    return (await this.database.queryOne('SELECT 1 FROM preview_turns LIMIT 1')) !== null;
  }

  /** The run has ended without renditions. False when another run has taken the work over. */
  async end({ blobId, making, attempt }: Work, state: 'error' | 'unsupported', reason: string, now: Date): Promise<boolean> {
    const ended = await this.database.run(
      `UPDATE previews SET state = $4, reason = $5, ended_at = $6, lease_until = NULL, kinds = '{}', metainfo = NULL
        WHERE blob_id = $1 AND format = $2 AND state = 'processing' AND attempts = $3`,
      [blobId, making, attempt, state, reason.slice(0, 300), now],
    );
    if (ended === 1) await this.database.run('DELETE FROM renditions WHERE blob_id = $1 AND format = $2', [blobId, making]);
    return ended === 1;
  }

  /**
   * The work goes back to the end of its queue, for a reason that is not the content's; `counted` says whether the run counts as an attempt. Must run
   * in a transaction.
   */
  async giveBack({ blobId, making, attempt, tenantId }: Work, counted: boolean, now: Date): Promise<void> {
    const back = await this.database.queryOne<{ urgent: boolean }>(
      `UPDATE previews SET state = 'new', lease_until = NULL, requested_at = $5, attempts = attempts - CASE WHEN $4 THEN 0 ELSE 1 END
        WHERE blob_id = $1 AND format = $2 AND state = 'processing' AND attempts = $3 RETURNING urgent`,
      [blobId, making, attempt, counted, now],
    );
    if (back) await this.giveTurns([tenantId], back.urgent);
  }

  /**
   * Work whose maker is gone waits again, or has failed when that happened `maxAttempts` times. Must run in a transaction. Returns how many.
   */
  async revive(now: Date, maxAttempts: number, limit: number): Promise<number> {
    const revived = await this.database.query<{ tenant_id: number; urgent: boolean; state: PreviewState }>(
      `UPDATE previews p SET state = CASE WHEN p.attempts >= $2 THEN 'error' ELSE 'new' END, lease_until = NULL,
              reason = CASE WHEN p.attempts >= $2 THEN 'its makers did not come to an end' END, ended_at = CASE WHEN p.attempts >= $2 THEN $1::timestamptz END
         FROM (SELECT blob_id, format FROM previews WHERE state = 'processing' AND lease_until < $1 ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED) l
        WHERE p.blob_id = l.blob_id AND p.format = l.format RETURNING p.tenant_id, p.urgent, p.state`,
      [now, maxAttempts, limit],
    );
    for (const urgent of [true, false]) {
      const tenants = revived.filter((row) => row.state === 'new' && row.urgent === urgent).map((row) => row.tenant_id);
      await this.giveTurns(tenants, urgent);
    }
    return revived.length;
  }

  /** Holds the place of the scan until the transaction ends, and returns it; null while another process holds it. */
  async lockScan(): Promise<string | null> {
    const row = await this.database.queryOne<{ after_id: string }>('SELECT after_id FROM preview_scan FOR UPDATE SKIP LOCKED');
    return row?.after_id ?? null;
  }

  async moveScan(afterId: string): Promise<void> {
    await this.database.run('UPDATE preview_scan SET after_id = $1', [afterId]);
  }

  /** Versions with an id above `afterId`, in its order. */
  versionsAfter(afterId: string, limit: number): Promise<ScannedVersion[]> {
    return this.database.query<ScannedVersion & Record<string, unknown>>(
      `SELECT v.id, v.blob_id AS "blobId", v.mime_type AS "mimeType", v.size_bytes AS "sizeBytes", ${TENANT} AS "tenantId"
         FROM (SELECT id, blob_id, mime_type, size_bytes, space_id FROM versions WHERE id > $1 ORDER BY id LIMIT $2) v
         JOIN spaces s ON s.id = v.space_id JOIN accounts a ON a.id = s.account_id ORDER BY v.id`,
      [afterId, limit],
    );
  }

  /** Ids of files whose current content this is, at most `limit`. */
  async filesOf(blobId: string, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT n.id FROM versions v JOIN nodes n ON n.id = v.node_id AND n.current_version_no = v.no WHERE v.blob_id = $1 AND n.removal IS NULL ORDER BY n.id LIMIT $2`,
      [blobId, limit],
    );
    return rows.map((row) => row.id);
  }

  /** Whoever has something waiting gets a turn. Rows that are there are held, so that a taker who finds nothing cannot remove them meanwhile. */
  private async giveTurns(tenantIds: readonly number[], urgent: boolean): Promise<void> {
    if (tenantIds.length === 0) return;
    await this.database.run(
      `INSERT INTO preview_turns (tenant_id, urgent) SELECT DISTINCT t, $2::boolean FROM unnest($1::bigint[]) AS t ORDER BY t
       ON CONFLICT (tenant_id, urgent) DO UPDATE SET served_at = preview_turns.served_at`,
      [tenantIds, urgent],
    );
  }
}
