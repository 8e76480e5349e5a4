import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { type Media, type MediaBytes } from '../media-bytes.js';

export type VersionOrigin = 'upload' | 'copy' | 'restore' | 'diff';

/** One state of a file's content. Times in ms since the epoch. */
export interface Version {
  readonly id: string;
  readonly nodeId: string;
  readonly spaceId: string;
  readonly no: number;
  readonly blobId: string;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly mimeType: string;
  readonly media: Media;
  readonly origin: VersionOrigin;
  /** Size of the delta it was sent as, when it was. */
  readonly diffBytes: number | null;
  readonly clientCreatedMs: number | null;
  readonly clientModifiedMs: number | null;
  readonly authorId: number;
  readonly deviceId: string | null;
  readonly deviceReference: string | null;
  readonly createdAtMs: number;
  /** When the version that this one brought back was made. */
  readonly restoredFromAtMs: number | null;
}

/** A version together with where its bytes lie. */
export interface StoredVersion extends Version {
  readonly storeKey: string;
  readonly sha256: string;
  readonly crc32: number;
}

interface VersionRow {
  id: string;
  node_id: string;
  space_id: string;
  no: number;
  blob_id: string;
  size_bytes: number;
  md5: string;
  mime_type: string;
  media: Media;
  origin: VersionOrigin;
  diff_bytes: number | null;
  client_created_ms: number | null;
  client_modified_ms: number | null;
  author_id: number;
  device_id: string | null;
  device_reference: string | null;
  created_at: Date;
  restored_from_at: Date | null;
}

interface StoredVersionRow extends VersionRow {
  store_key: string;
  sha256: string;
  crc32: number;
}

interface FreedRow {
  image: number;
  audio: number;
  video: number;
  other: number;
  versions: number;
}

const COLUMNS = `v.id, v.node_id, v.space_id, v.no, v.blob_id, v.size_bytes, v.md5, v.mime_type, v.media, v.origin, v.diff_bytes, v.client_created_ms,
  v.client_modified_ms, v.author_id, v.device_id, v.device_reference, v.created_at, v.restored_from_at`;

/** The rest of a statement whose CTE `gone` holds deleted versions: their blobs become candidates due at $2, their bytes are summed. */
const AFTER_GONE = `
  , candidates AS (
    INSERT INTO blob_candidates (blob_id, due_at) SELECT DISTINCT blob_id, $2::timestamptz FROM gone ORDER BY 1
    ON CONFLICT (blob_id) DO UPDATE SET due_at = greatest(blob_candidates.due_at, excluded.due_at)
  )
  SELECT coalesce(sum(size_bytes) FILTER (WHERE media = 'image'), 0)::bigint AS image, coalesce(sum(size_bytes) FILTER (WHERE media = 'audio'), 0)::bigint AS audio,
         coalesce(sum(size_bytes) FILTER (WHERE media = 'video'), 0)::bigint AS video, coalesce(sum(size_bytes) FILTER (WHERE media = 'other'), 0)::bigint AS other,
         count(*) AS versions
    FROM gone`;

/** Rows of `versions`. */
@Injectable()
export class VersionRepository {
  constructor(private readonly database: Database) {}

  /** Versions of a file, newest first. `limit` 0 = all. */
  async list(nodeId: string, skip: number, limit: number): Promise<Version[]> {
    const rows = await this.database.query<VersionRow>(
      `SELECT ${COLUMNS} FROM versions v WHERE v.node_id = $1 ORDER BY v.no DESC OFFSET $2 LIMIT nullif($3::bigint, 0)`,
      [nodeId, skip, limit],
    );
    return rows.map(toVersion);
  }

  /** Number of the newest version that was there at `at`, or (null) of the oldest that is kept; null when there is none. */
  async numberAt(nodeId: string, at: Date | null): Promise<number | null> {
    const row = await this.database.queryOne<{ no: number }>(
      at === null
        ? 'SELECT no FROM versions WHERE node_id = $1 ORDER BY no LIMIT 1'
        : 'SELECT no FROM versions WHERE node_id = $1 AND created_at <= $2 ORDER BY no DESC LIMIT 1',
      at === null ? [nodeId] : [nodeId, at],
    );
    return row?.no ?? null;
  }

  /** Versions with a number above `afterNo`, oldest first. */
  async after(nodeId: string, afterNo: number): Promise<Version[]> {
    const rows = await this.database.query<VersionRow>(`SELECT ${COLUMNS} FROM versions v WHERE v.node_id = $1 AND v.no > $2 ORDER BY v.no`, [
      nodeId,
      afterNo,
    ]);
    return rows.map(toVersion);
  }

  /** One version with its object, or null. */
  async find(nodeId: string, no: number): Promise<StoredVersion | null> {
    const row = await this.database.queryOne<StoredVersionRow>(
      `SELECT ${COLUMNS}, b.store_key, b.sha256, b.crc32 FROM versions v JOIN blobs b ON b.id = v.blob_id WHERE v.node_id = $1 AND v.no = $2`,
      [nodeId, no],
    );
    return row === null ? null : toStored(row);
  }

  /** The current versions of many files in one statement, by node id. */
  async currentOf(nodeIds: readonly string[]): Promise<Map<string, StoredVersion>> {
    const rows = await this.database.query<StoredVersionRow>(
      `SELECT ${COLUMNS}, b.store_key, b.sha256, b.crc32
         FROM nodes n JOIN versions v ON v.node_id = n.id AND v.no = n.current_version_no JOIN blobs b ON b.id = v.blob_id WHERE n.id = ANY($1::uuid[])`,
      [nodeIds],
    );
    return new Map(rows.map((row) => [row.node_id, toStored(row)]));
  }

  /**
   * Deletes every version of these files. Their blobs are looked at again at `dueAt`. Returns what was freed: the caller takes it off the
   * quota in the same transaction. The files' rows must be deleted in it too (they still point to their blobs).
   */
  async deleteOf(nodeIds: readonly string[], dueAt: Date): Promise<{ freed: MediaBytes; versions: number }> {
    const row = await this.database.queryOne<FreedRow>(
      `WITH gone AS (DELETE FROM versions v WHERE v.node_id = ANY($1::uuid[]) RETURNING v.blob_id, v.size_bytes, v.media) ${AFTER_GONE}`,
      [nodeIds, dueAt],
    );
    return toFreed(row);
  }

  /** Deletes the versions of these files that are not current any more. Like `deleteOf` otherwise; the files stay. */
  async deleteOldOf(nodeIds: readonly string[], dueAt: Date): Promise<{ freed: MediaBytes; versions: number }> {
    const row = await this.database.queryOne<FreedRow>(
      `WITH gone AS (
         DELETE FROM versions v USING nodes n WHERE n.id = ANY($1::uuid[]) AND v.node_id = n.id AND v.no < n.current_version_no
         RETURNING v.blob_id, v.size_bytes, v.media
       ) ${AFTER_GONE}`,
      [nodeIds, dueAt],
    );
    return toFreed(row);
  }

  /** Deletes up to `limit` versions of the space that are not current any more, in the order of their id. Like `deleteOf` otherwise. */
  async deleteOld(spaceId: string, dueAt: Date, limit: number): Promise<{ freed: MediaBytes; versions: number }> {
    const row = await this.database.queryOne<FreedRow>(
      `WITH old AS (
         SELECT v.node_id, v.no FROM nodes n JOIN versions v ON v.node_id = n.id AND v.no < n.current_version_no
          WHERE n.space_id = $1 AND n.kind = 'file' ORDER BY v.id LIMIT $3 FOR UPDATE OF v
       ),
       gone AS (DELETE FROM versions v USING old WHERE v.node_id = old.node_id AND v.no = old.no RETURNING v.blob_id, v.size_bytes, v.media) ${AFTER_GONE}`,
      [spaceId, dueAt, limit],
    );
    return toFreed(row);
  }
}

function toFreed(row: FreedRow | null): { freed: MediaBytes; versions: number } {
  const { image = 0, audio = 0, video = 0, other = 0, versions = 0 } = row ?? {};
  return { freed: { image, audio, video, other }, versions };
}

function toVersion(row: VersionRow): Version {
  return {
    id: row.id,
    nodeId: row.node_id,
    spaceId: row.space_id,
    no: row.no,
    blobId: row.blob_id,
    sizeBytes: row.size_bytes,
    md5: row.md5,
    mimeType: row.mime_type,
    media: row.media,
    origin: row.origin,
    diffBytes: row.diff_bytes,
    clientCreatedMs: row.client_created_ms,
    clientModifiedMs: row.client_modified_ms,
    authorId: row.author_id,
    deviceId: row.device_id,
    deviceReference: row.device_reference,
    createdAtMs: row.created_at.getTime(),
    restoredFromAtMs: row.restored_from_at?.getTime() ?? null,
  };
}

function toStored(row: StoredVersionRow): StoredVersion {
  return { ...toVersion(row), storeKey: row.store_key, sha256: row.sha256, crc32: row.crc32 };
}
