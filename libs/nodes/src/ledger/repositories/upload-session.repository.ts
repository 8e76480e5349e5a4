import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { quotaExceeded } from './quota-ledger.repository.js';
import { BYTE_LIMIT, lockedQuotas, quotaOwners } from './quota-sql.js';

export type UploadState = 'reserved' | 'uploaded' | 'committed' | 'abandoned';

/** Bytes on their way in. `command` is what the creator asked for, as its maker stored it. */
export interface UploadSession {
  readonly id: string;
  readonly tempName: string;
  readonly storeKey: string;
  /** Who brings the bytes; of a guest's upload, who gave him the pass. */
  readonly accountId: number;
  readonly spaceId: string;
  /** Top folder of the space. */
  readonly rootId: string;
  /** Owner of the space: the bytes count in this account's quota. */
  readonly ownerId: number;
  readonly state: UploadState;
  readonly multipart: boolean;
  readonly multipartId: string | null;
  readonly command: unknown;
  readonly declaredBytes: number | null;
  readonly declaredMd5: string | null;
  readonly reservedBytes: number;
  readonly sizeBytes: number | null;
  readonly md5: string | null;
  readonly crc32: number | null;
  readonly nodeId: string | null;
  readonly versionNo: number | null;
  /** False when the account may not bring bytes (any more): its links end with it. */
  readonly accountActive: boolean;
  /** Of the account. */
  readonly companyId: number | null;
}

export interface NewUploadSession {
  readonly id: string;
  readonly tempName: string;
  readonly storeKey: string;
  readonly accountId: number;
  readonly spaceId: string;
  readonly multipart: boolean;
  readonly command: object;
  readonly declaredBytes: number | null;
  readonly declaredMd5: string | null;
  readonly leaseUntil: Date;
}

/** What became of a request to write: where to, or why not. */
export type OpenOutcome =
  | {
      readonly storeKey: string;
      readonly freeBytes: number | null;
      /** The bytes go to somebody else, or come from a guest: the right to bring them may have ended. */
      readonly foreign: boolean;
    }
  | 'unknown'
  | 'closed';

interface SessionRow {
  id: string;
  temp_name: string;
  store_key: string;
  account_id: number;
  space_id: string;
  root_id: string;
  owner_id: number;
  state: UploadState;
  multipart: boolean;
  multipart_id: string | null;
  command: unknown;
  declared_bytes: number | null;
  declared_md5: string | null;
  reserved_bytes: number;
  size_bytes: number | null;
  md5: string | null;
  crc32: number | null;
  node_id: string | null;
  version_no: number | null;
  account_active: boolean;
  company_id: number | null;
}

const COLUMNS = `s.id, s.temp_name, s.store_key, s.account_id, s.space_id, o.root_id, o.account_id AS owner_id, s.state, s.multipart, s.multipart_id, s.command, s.declared_bytes, s.declared_md5,
  s.reserved_bytes, s.size_bytes, s.md5, s.crc32, s.node_id, s.version_no, a.state = 'active' AND p.can_upload AS account_active, a.company_id`;

const SESSIONS =
  'FROM upload_sessions s JOIN accounts a ON a.id = s.account_id JOIN effective_policies p ON p.account_id = a.id JOIN spaces o ON o.id = s.space_id';

/** A session for a CTE `s`, with the account that pays for its bytes. */
const PAID_SESSION = 'SELECT u.*, o.account_id AS owner_id FROM upload_sessions u JOIN spaces o ON o.id = u.space_id WHERE u.temp_name = $1';

/** Quota rows of the session in CTE `s`, locked in the common order and judged, when CTE `g` says that the reservation changes. */
const HELD = `
  held AS MATERIALIZED (
    SELECT q.owner_kind, q.owner_id, g.bytes <= 0 OR q.used_bytes + q.reserved_bytes + g.bytes <= ${BYTE_LIMIT} AS fits
      FROM (SELECT s.owner_id, g.bytes FROM s, g WHERE g.bytes <> 0) g CROSS JOIN LATERAL ${lockedQuotas('g.owner_id')}
  ),
  verdict AS (SELECT coalesce(bool_and(fits), true) AS fits FROM held),
  changed AS (
    UPDATE quotas q SET reserved_bytes = q.reserved_bytes + g.bytes FROM held h, g, verdict
     WHERE q.owner_kind = h.owner_kind AND q.owner_id = h.owner_id AND verdict.fits
  )`;

const INSERT = `
  WITH held AS MATERIALIZED (
    SELECT q.owner_kind, q.owner_id, q.used_bytes + q.reserved_bytes + $10::bigint <= ${BYTE_LIMIT} AS fits
      FROM (SELECT 1 WHERE $10::bigint > 0) g CROSS JOIN LATERAL ${lockedQuotas('(SELECT account_id FROM spaces WHERE spaces.id = $5::uuid)')}
  ),
  verdict AS (SELECT coalesce(bool_and(fits), true) AS fits FROM held),
  changed AS (
    UPDATE quotas q SET reserved_bytes = q.reserved_bytes + $10 FROM held h, verdict
     WHERE q.owner_kind = h.owner_kind AND q.owner_id = h.owner_id AND verdict.fits
  )
  INSERT INTO upload_sessions (id, temp_name, store_key, account_id, space_id, state, multipart, command, declared_bytes, declared_md5, reserved_bytes, lease_until)
  SELECT $1::uuid, $2, $3, $4, $5::uuid, 'reserved', $6::boolean, $7::jsonb, $8::bigint, $9, $10, $11::timestamptz FROM verdict WHERE fits
  RETURNING audit_write($12)`;

// $1 temp name, $2 announced bytes or null, $3 a fresh key, $4 now, $5 lease of a session that is worked on, $6 when to renew the lease
const OPEN = `
  WITH s AS MATERIALIZED (
    SELECT u.*, o.account_id AS owner_id, u.state IN ('reserved', 'uploaded') AND a.state = 'active' AND p.can_upload AS may_write
      FROM upload_sessions u JOIN accounts a ON a.id = u.account_id JOIN effective_policies p ON p.account_id = a.id
      JOIN spaces o ON o.id = u.space_id WHERE u.temp_name = $1 FOR UPDATE OF u
  ),
  g AS (SELECT CASE WHEN s.may_write THEN greatest(coalesce($2::bigint, 0) - s.reserved_bytes, 0) ELSE 0 END AS bytes FROM s),
  ${HELD},
  opened AS (
    UPDATE upload_sessions u
       SET opened_at = coalesce(u.opened_at, $4::timestamptz), reserved_bytes = u.reserved_bytes + g.bytes,
           lease_until = CASE WHEN u.lease_until < $6::timestamptz THEN $5::timestamptz ELSE u.lease_until END
      FROM s, g, verdict WHERE u.id = s.id AND s.may_write AND verdict.fits
    RETURNING u.reserved_bytes
  ),
  spare AS (
    INSERT INTO object_tombstones (store_key, due_at) SELECT $3::text, $5::timestamptz FROM s, opened WHERE s.opened_at IS NOT NULL
  )
  SELECT s.may_write, verdict.fits, s.account_id <> s.owner_id OR s.command ? 'guest' AS foreign, CASE WHEN s.opened_at IS NULL THEN s.store_key ELSE $3::text END AS store_key,
         CASE WHEN $2::bigint IS NULL THEN (
           SELECT greatest(min(q.limit_bytes - q.used_bytes - q.reserved_bytes), 0) + s.reserved_bytes
             FROM ${quotaOwners('s.owner_id')} JOIN quotas q ON q.owner_kind = o.owner_kind AND q.owner_id = o.owner_id WHERE q.limit_bytes IS NOT NULL HAVING count(*) > 0
         ) END AS free_bytes
    FROM s, verdict`;

// $1 temp name, $2 key that was written, $3 size, $4 md5, $5 sha256, $6 crc32, $7 when to delete what is replaced
const STORED = `
  WITH s AS MATERIALIZED (${PAID_SESSION} AND u.state IN ('reserved', 'uploaded') FOR UPDATE OF u),
  mine AS MATERIALIZED (
    SELECT s.id, s.store_key AS old_key FROM s
     WHERE s.store_key = $2 OR EXISTS (SELECT 1 FROM object_tombstones t WHERE t.store_key = $2 AND t.attempts = 0 FOR UPDATE)
  ),
  g AS (SELECT $3::bigint - s.reserved_bytes AS bytes FROM s JOIN mine ON mine.id = s.id),
  ${HELD},
  kept AS (
    UPDATE upload_sessions u
       SET state = 'uploaded', store_key = $2, multipart_id = CASE WHEN mine.old_key = $2 THEN u.multipart_id END,
           size_bytes = $3, md5 = $4, sha256 = $5, crc32 = $6::bigint, reserved_bytes = $3
      FROM mine, verdict WHERE u.id = mine.id AND verdict.fits
    RETURNING mine.old_key
  ),
  taken AS (DELETE FROM object_tombstones t USING kept WHERE t.store_key = $2),
  replaced AS (
    INSERT INTO object_tombstones (store_key, multipart_id, due_at)
    SELECT s.store_key, s.multipart_id, $7::timestamptz FROM s JOIN kept ON kept.old_key = s.store_key WHERE s.store_key <> $2
    ON CONFLICT (store_key) DO UPDATE SET due_at = excluded.due_at, attempts = 0
  )
  SELECT (SELECT count(*) FROM s) AS sessions, (SELECT count(*) FROM mine) AS mine, (SELECT count(*) FROM kept) AS kept`;

/** Rows of `upload_sessions`: who may bring which bytes until when. Each method is one statement. */
@Injectable()
export class UploadSessionRepository {
  constructor(private readonly database: Database) {}

  /** Opens a session and reserves `reserveBytes` in the quota of the space's owner. QUOTA_EXCEEDED leaves nothing behind. */
  async create(session: NewUploadSession, reserveBytes: number): Promise<void> {
    const { id, tempName, storeKey, accountId, spaceId, multipart, command, declaredBytes, declaredMd5, leaseUntil } = session;
    const values = [
      id,
      tempName,
      storeKey,
      accountId,
      spaceId,
      multipart,
      JSON.stringify(command),
      declaredBytes,
      declaredMd5,
      reserveBytes,
      leaseUntil,
    ];
    if ((await this.database.changeOne(INSERT, values)) === null) throw quotaExceeded();
  }

  async find(tempName: string): Promise<UploadSession | null> {
    const row = await this.database.queryOne<SessionRow>(`SELECT ${COLUMNS} ${SESSIONS} WHERE s.temp_name = $1`, [tempName]);
    return row === null ? null : toSession(row);
  }

  /** The sessions of these temp names; unknown ones are left out. */
  async findMany(tempNames: readonly string[]): Promise<UploadSession[]> {
    const rows = await this.database.query<SessionRow>(`SELECT ${COLUMNS} ${SESSIONS} WHERE s.temp_name = ANY($1::text[])`, [tempNames]);
    return rows.map(toSession);
  }

  /**
   * A writer begins: says which object it may write. The first gets the session's own; a later one gets `freshKey`, noted as an object
   * to be deleted unless `stored` takes it over, so that two writers never share an object. The reservation grows to `announcedBytes`
   * (QUOTA_EXCEEDED). `freeBytes` (only when no length is announced): most that could come, null = not limited.
   */
  async open(
    tempName: string,
    options: { announcedBytes: number | null; freshKey: string; now: Date; leaseUntil: Date; renewBefore: Date },
  ): Promise<OpenOutcome> {
    const { announcedBytes, freshKey, now, leaseUntil, renewBefore } = options;
    const row = await this.database.queryOne<{ may_write: boolean; fits: boolean; foreign: boolean; store_key: string; free_bytes: number | null }>(
      OPEN,
      [tempName, announcedBytes, freshKey, now, leaseUntil, renewBefore],
    );
    if (row === null) return 'unknown';
    if (!row.may_write) return 'closed';
    if (!row.fits) throw quotaExceeded();
    return { storeKey: row.store_key, freeBytes: row.free_bytes, foreign: row.foreign };
  }

  /**
   * The object `storeKey` is durable: it becomes what the session holds, and what it held before is deleted at `deleteAt`. The
   * reservation becomes the size. False when the session is over or the object was given up: it is not the session's then.
   * QUOTA_EXCEEDED changes nothing.
   */
  async stored(
    tempName: string,
    storeKey: string,
    blob: { sizeBytes: number; md5: string; sha256: string; crc32: number },
    deleteAt: Date,
  ): Promise<boolean> {
    const row = await this.database.queryOne<{ sessions: number; mine: number; kept: number }>(STORED, [
      tempName,
      storeKey,
      blob.sizeBytes,
      blob.md5,
      blob.sha256,
      blob.crc32,
      deleteAt,
    ]);
    if (row && row.mine === 1 && row.kept === 0) throw quotaExceeded();
    return row?.kept === 1;
  }

  /** Whether what has arrived for the session is this object; to the end of the transaction no other takes its place. */
  async holds(tempName: string, storeKey: string): Promise<boolean> {
    const text = `SELECT 1 FROM upload_sessions WHERE temp_name = $1 AND store_key = $2 AND state = 'uploaded' FOR UPDATE`;
    return (await this.database.queryOne(text, [tempName, storeKey])) !== null;
  }

  /**
   * Gives an object up that was written for the session or may have been: it is deleted at `deleteAt`. When it was the session's own, the
   * session waits for bytes again under `freshKey`. An object that a confirmed upload or another one holds is left alone.
   */
  async giveUp(tempName: string, storeKey: string, freshKey: string, deleteAt: Date): Promise<void> {
    await this.database.run(
      `WITH s AS MATERIALIZED (SELECT * FROM upload_sessions WHERE temp_name = $1 FOR UPDATE),
       reset AS (
         UPDATE upload_sessions u SET store_key = $3, state = 'reserved', opened_at = NULL, multipart_id = NULL FROM s
          WHERE u.id = s.id AND s.store_key = $2 AND s.state IN ('reserved', 'uploaded')
       )
       INSERT INTO object_tombstones (store_key, multipart_id, due_at)
       SELECT $2::text, (SELECT s.multipart_id FROM s WHERE s.store_key = $2), $4::timestamptz
        WHERE NOT EXISTS (SELECT 1 FROM s WHERE s.store_key = $2 AND s.state = 'committed') AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.store_key = $2)
       ON CONFLICT (store_key) DO UPDATE SET due_at = least(object_tombstones.due_at, excluded.due_at), attempts = 0`,
      [tempName, storeKey, freshKey, deleteAt],
    );
  }

  /**
   * The multipart upload `multipartId` of the object `storeKey` (noted for deletion before) becomes the session's, unless another one
   * was faster: then false. What the session held before is deleted at `deleteAt`.
   */
  async beginMultipart(
    tempName: string,
    storeKey: string,
    multipartId: string,
    when: { now: Date; deleteAt: Date; leaseUntil: Date },
  ): Promise<boolean> {
    const row = await this.database.queryOne<{ begun: number }>(
      `WITH s AS MATERIALIZED (
         SELECT * FROM upload_sessions WHERE temp_name = $1 AND (state = 'uploaded' OR (state = 'reserved' AND multipart_id IS NULL)) FOR UPDATE
       ),
       begun AS (
         UPDATE upload_sessions u
            SET state = 'reserved', store_key = $2, multipart_id = $3, opened_at = $4::timestamptz, lease_until = greatest(u.lease_until, $6::timestamptz)
           FROM s WHERE u.id = s.id AND EXISTS (SELECT 1 FROM object_tombstones t WHERE t.store_key = $2 AND t.attempts = 0 FOR UPDATE)
         RETURNING u.id
       ),
       taken AS (DELETE FROM object_tombstones t USING begun WHERE t.store_key = $2),
       replaced AS (
         INSERT INTO object_tombstones (store_key, multipart_id, due_at) SELECT s.store_key, s.multipart_id, $5::timestamptz FROM s JOIN begun ON begun.id = s.id
         ON CONFLICT (store_key) DO UPDATE SET due_at = excluded.due_at, attempts = 0
       )
       SELECT count(*) AS begun FROM begun`,
      [tempName, storeKey, multipartId, when.now, when.deleteAt, when.leaseUntil],
    );
    return row?.begun === 1;
  }

  /** Lets a session that brings nothing any more be reaped at once. */
  async endLease(tempName: string, now: Date): Promise<void> {
    await this.database.run(
      `UPDATE upload_sessions SET lease_until = least(lease_until, $2) WHERE temp_name = $1 AND state IN ('reserved', 'uploaded')`,
      [tempName, now],
    );
  }

  /** How many uploads of an account, or (`passId`) of guests through a pass that it gave, are not confirmed and not over. Counts up to `most`. */
  async countOpen(accountId: number, passId: string | null, now: Date, most: number): Promise<number> {
    // a pass is found by an index of its own
    const ofPass =
      passId === null
        ? `command -> 'guest' IS NULL AND $2::text IS NULL`
        : `command -> 'guest' IS NOT NULL AND command -> 'guest' ->> 'passId' = $2::text`;
    const row = await this.database.queryOne<{ open: number }>(
      `SELECT count(*) AS open FROM (
         SELECT 1 FROM upload_sessions
          WHERE account_id = $1 AND state IN ('reserved', 'uploaded') AND lease_until > $3 AND ${ofPass} LIMIT $4
       ) s`,
      [accountId, passId, now, most],
    );
    return row!.open;
  }

  /** Waits until this transaction alone may open uploads of guests with this pass. */
  async lockPass(passId: string): Promise<void> {
    await this.database.lock(`pass-uploads:${passId}`);
  }

  /** Waits until this transaction alone may choose names for uploads into a folder. */
  async lockNames(folderId: string): Promise<void> {
    await this.database.lock(`upload-names:${folderId}`);
  }

  /** Replaces what the maker of the session stored with it. */
  async setCommand(tempName: string, command: object): Promise<void> {
    await this.database.run('UPDATE upload_sessions SET command = $2::jsonb WHERE temp_name = $1', [tempName, JSON.stringify(command)]);
  }

  /** Makes the reservation at least `bytes`. QUOTA_EXCEEDED. */
  async growReservation(tempName: string, bytes: number): Promise<void> {
    const row = await this.database.queryOne<{ fits: boolean }>(
      `WITH s AS MATERIALIZED (${PAID_SESSION} AND u.state IN ('reserved', 'uploaded') FOR UPDATE OF u),
       g AS (SELECT greatest($2::bigint - s.reserved_bytes, 0) AS bytes FROM s),
       ${HELD},
       grown AS (UPDATE upload_sessions u SET reserved_bytes = u.reserved_bytes + g.bytes FROM s, g, verdict WHERE u.id = s.id AND verdict.fits)
       SELECT fits FROM verdict`,
      [tempName, bytes],
    );
    if (row && !row.fits) throw quotaExceeded();
  }

  /** Makes the reservation exactly `bytes`, where the maker of the session counts what comes. QUOTA_EXCEEDED. */
  async setReservation(tempName: string, bytes: number): Promise<void> {
    const row = await this.database.queryOne<{ fits: boolean }>(
      `WITH s AS MATERIALIZED (${PAID_SESSION} AND u.state IN ('reserved', 'uploaded') FOR UPDATE OF u),
       g AS (SELECT $2::bigint - s.reserved_bytes AS bytes FROM s),
       ${HELD},
       kept AS (UPDATE upload_sessions u SET reserved_bytes = $2 FROM s, verdict WHERE u.id = s.id AND verdict.fits)
       SELECT fits FROM verdict`,
      [tempName, bytes],
    );
    if (row && !row.fits) throw quotaExceeded();
  }

  /** Gives bytes that have arrived another place, for which the same account pays. False when there is no such upload any more. */
  async redirect(tempName: string, spaceId: string, command: object): Promise<boolean> {
    const changed = await this.database.run(
      `UPDATE upload_sessions u SET space_id = t.id, command = $3 FROM spaces f, spaces t
        WHERE u.temp_name = $1 AND u.state = 'uploaded' AND f.id = u.space_id AND t.id = $2 AND t.account_id = f.account_id`,
      [tempName, spaceId, JSON.stringify(command)],
    );
    return changed === 1;
  }

  /** Keeps a session that its maker waits for longer than usual. */
  async setLease(tempName: string, leaseUntil: Date): Promise<void> {
    await this.database.run(`UPDATE upload_sessions SET lease_until = $2 WHERE temp_name = $1 AND state IN ('reserved', 'uploaded')`, [
      tempName,
      leaseUntil,
    ]);
  }

  /** Lets the leases of all uploads into a space end that are not over. */
  async endLeasesInto(spaceId: string, now: Date): Promise<void> {
    await this.database.run('UPDATE upload_sessions SET lease_until = least(lease_until, $2) WHERE space_id = $1', [spaceId, now]);
  }

  /**
   * Ends up to `limit` sessions whose lease is over: the reservation of unconfirmed ones goes back, their objects are noted for deletion
   * at `deleteAt`, and the rows of all are removed. Must run in a transaction. Returns how many sessions were ended.
   */
  async reap(now: Date, deleteAt: Date, limit: number): Promise<number> {
    const ended = await this.database.query<{
      owner_id: number;
      store_key: string;
      multipart_id: string | null;
      reserved_bytes: number;
      state: UploadState;
    }>(
      `DELETE FROM upload_sessions u USING spaces o WHERE o.id = u.space_id AND u.id IN (
         SELECT id FROM upload_sessions WHERE lease_until <= $1 ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING o.account_id AS owner_id, u.store_key, u.multipart_id, u.reserved_bytes, u.state`,
      [now, limit],
    );
    const open = ended.filter((row) => row.state === 'reserved' || row.state === 'uploaded');
    if (open.length > 0) {
      await this.database.run(
        `INSERT INTO object_tombstones (store_key, multipart_id, due_at)
         SELECT store_key, multipart_id, $3 FROM unnest($1::text[], $2::text[]) AS o (store_key, multipart_id)
         ON CONFLICT (store_key) DO UPDATE SET attempts = 0, due_at = least(object_tombstones.due_at, excluded.due_at)`,
        [open.map((row) => row.store_key), open.map((row) => row.multipart_id), deleteAt],
      );
      await this.release(open);
    }
    return ended.length;
  }

  private async release(ended: readonly { owner_id: number; reserved_bytes: number }[]): Promise<void> {
    const byOwner = new Map<number, number>();
    for (const { owner_id, reserved_bytes } of ended) byOwner.set(owner_id, (byOwner.get(owner_id) ?? 0) + reserved_bytes);
    const due = [...byOwner].filter(([, bytes]) => bytes > 0);
    await this.database.run(
      `WITH freed AS (
         SELECT o.owner_kind, o.owner_id, sum(f.bytes) AS bytes FROM unnest($1::bigint[], $2::bigint[]) AS f (account_id, bytes)
          CROSS JOIN LATERAL ${quotaOwners('f.account_id')} GROUP BY o.owner_kind, o.owner_id
       ),
       held AS MATERIALIZED (
         SELECT q.owner_kind, q.owner_id, freed.bytes FROM quotas q JOIN freed ON freed.owner_kind = q.owner_kind AND freed.owner_id = q.owner_id
          ORDER BY q.owner_kind, q.owner_id FOR UPDATE OF q
       )
       UPDATE quotas q SET reserved_bytes = q.reserved_bytes - h.bytes FROM held h WHERE q.owner_kind = h.owner_kind AND q.owner_id = h.owner_id`,
      [due.map(([owner]) => owner), due.map(([, bytes]) => bytes)],
    );
  }
}

function toSession(row: SessionRow): UploadSession {
  return {
    id: row.id,
    tempName: row.temp_name,
    storeKey: row.store_key,
    accountId: row.account_id,
    spaceId: row.space_id,
    rootId: row.root_id,
    ownerId: row.owner_id,
    state: row.state,
    multipart: row.multipart,
    multipartId: row.multipart_id,
    command: row.command,
    declaredBytes: row.declared_bytes,
    declaredMd5: row.declared_md5,
    reservedBytes: row.reserved_bytes,
    sizeBytes: row.size_bytes,
    md5: row.md5,
    crc32: row.crc32,
    nodeId: row.node_id,
    versionNo: row.version_no,
    accountActive: row.account_active,
    companyId: row.company_id,
  };
}
