import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { type News, plainNews, VERSION_FACTS, WOKEN_FEEDS } from '../../changes/repositories/feed-sql.js';
import type { NodeView } from '../../node.js';
import { NODE_COLUMNS } from '../../repositories/node-columns.js';
import type { Media } from '../media-bytes.js';
import { lockedQuotas } from './quota-sql.js';
import type { VersionOrigin } from './version.repository.js';

/** What becomes a version: the place, the dates and who sent it. Its size and hashes come from the session or blob behind it. */
export interface FileToWrite {
  /** The file: a new id for a new file. */
  readonly nodeId: string;
  readonly versionId: string;
  /** Id of the blob row: a new one when the bytes come from an upload session. */
  readonly blobId: string;
  readonly spaceId: string;
  readonly parentId: string;
  readonly name: string;
  readonly nameKey: string;
  readonly mimeType: string;
  readonly media: Media;
  readonly origin: VersionOrigin;
  readonly diffBytes: number | null;
  readonly clientCreatedMs: number | null;
  readonly clientModifiedMs: number | null;
  readonly authorId: number;
  readonly deviceId: string | null;
  readonly deviceReference: string | null;
  readonly restoredFromMs: number | null;
  /** The current version the writer has seen; 0 = the file is new. */
  readonly seenVersionNo: number;
  /** True: when the file has moved on from the version seen, nothing is written. False: the next version comes after whatever is there. */
  readonly onlyAfterSeen: boolean;
}

/** What of uploads has been written, and the feeds that were told. */
export interface WrittenUploads {
  readonly nodes: readonly NodeView[];
  readonly woken: readonly string[];
}

/** The same, from the bytes that an upload session has received. */
export interface UploadToWrite extends FileToWrite {
  readonly sessionId: string;
  /** The object that was judged; when other bytes have arrived since, nothing is written. */
  readonly storeKey: string;
}

// The statements below are put together once, here, from constant pieces: $1 = the files as JSON, $2 = whose favourite marks are told,
// $3 = now in ms; for uploads also $4 = the account whose quota they count in, $5 = the news of them, $6 = the space that must have no folder with a
// limit, null where the caller looks after limits. Locks are taken in one order everywhere: file, session, parent, account quota, company quota; every step
// feeds on the one before it, so a step that finds nothing leaves the rest undone.

const ITEM = `
  item AS (
    SELECT * FROM json_to_recordset($1::json) AS i (
      session_id uuid, store_key text, node_id uuid, version_id uuid, blob_id uuid, space_id uuid, parent_id uuid, name text, name_key text,
      mime_type text, media text, origin text, diff_bytes bigint, client_created_ms bigint, client_modified_ms bigint, author_id bigint,
      device_id text, device_reference text, restored_from_ms bigint, seen_no bigint, only_after_seen boolean)
  )`;

/**
 * Which rows a statement is about. One file is found by the parameters $7 (session) and $8 (node): a join with `item` would be planned as a
 * scan of the whole table for as long as the table is young and without statistics. Many files are worth that.
 */
interface Match {
  readonly session: string;
  readonly node: (item: string) => string;
}
const ONE: Match = { session: 's.id = $7::uuid', node: () => 'n.id = $8::uuid' };
const MANY: Match = { session: 's.id = i.session_id', node: (item) => `n.id = ${item}.node_id` };

/** Existing files, locked, when they still are where (and, if asked for, what) the writer saw. */
const target = (match: Match): string => `
  target AS MATERIALIZED (
    SELECT n.id, n.current_version_no + 1 AS no, n.size_bytes AS old_bytes
      FROM nodes n JOIN item i ON ${match.node('i')}
     WHERE (n.current_version_no = i.seen_no OR NOT i.only_after_seen) AND n.parent_id = i.parent_id AND n.space_id = i.space_id AND n.removal IS NULL
     ORDER BY n.id FOR UPDATE OF n
  )`;

/** Not joined with anything, so that it is one look at the index of folders with limits. */
const UNLIMITED = 'NOT EXISTS (SELECT 1 FROM nodes l WHERE l.space_id = $6::uuid AND l.limit_bytes IS NOT NULL)';

const fromSession = (match: Match): { newFile: string; newVersion: string } => ({
  newFile: `
  source AS (
    UPDATE upload_sessions s SET state = 'committed', node_id = i.node_id, version_no = 1
      FROM item i WHERE ${match.session} AND s.state = 'uploaded' AND s.store_key = i.store_key AND ${UNLIMITED}
    RETURNING i.*, s.size_bytes, s.md5, s.sha256, s.crc32, s.reserved_bytes, 1::bigint AS no, 0::bigint AS old_bytes
  )`,
  newVersion: `
  source AS (
    UPDATE upload_sessions s SET state = 'committed', node_id = i.node_id, version_no = t.no
      FROM item i JOIN target t ON t.id = i.node_id WHERE ${match.session} AND s.state = 'uploaded' AND s.store_key = i.store_key AND ${UNLIMITED}
    RETURNING i.*, s.size_bytes, s.md5, s.sha256, s.crc32, s.reserved_bytes, t.no, t.old_bytes
  )`,
});

const FROM_BLOB = {
  newFile: `
  source AS MATERIALIZED (
    SELECT i.*, b.size_bytes, b.md5, 1::bigint AS no, 0::bigint AS old_bytes FROM item i JOIN blobs b ON b.id = i.blob_id
  )`,
  newVersion: `
  source AS MATERIALIZED (
    SELECT i.*, b.size_bytes, b.md5, t.no, t.old_bytes FROM item i JOIN target t ON t.id = i.node_id JOIN blobs b ON b.id = i.blob_id
  )`,
};

const BLOB = `
  blob AS (
    INSERT INTO blobs (id, store_key, size_bytes, md5, sha256, crc32) SELECT blob_id, store_key, size_bytes, md5, sha256, crc32 FROM source
  )`;

const INSERT_NODE = `
  node AS (
    INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, current_version_no, blob_id, size_bytes, md5, mime_type,
                       client_created_ms, client_modified_ms, created_ms, modified_ms, author_id)
    SELECT node_id, space_id, parent_id, 'file', name, name_key, no, blob_id, size_bytes, md5, mime_type,
           client_created_ms, client_modified_ms, coalesce(client_created_ms, $3), coalesce(client_modified_ms, $3), author_id
      FROM source
    RETURNING *
  )`;

const updateNode = (match: Match): string => `
  node AS (
    UPDATE nodes n
       SET current_version_no = c.no, blob_id = c.blob_id, size_bytes = c.size_bytes, md5 = c.md5, mime_type = c.mime_type,
           client_created_ms = coalesce(c.client_created_ms, n.client_created_ms), client_modified_ms = c.client_modified_ms,
           created_ms = coalesce(c.client_created_ms, n.created_ms), modified_ms = coalesce(c.client_modified_ms, $3),
           author_id = c.author_id, revision = n.revision + 1
      FROM source c WHERE ${match.node('c')}
    RETURNING n.*
  )`;

const VERSION_AND_PARENT = `
  version AS (
    INSERT INTO versions (node_id, no, id, space_id, blob_id, size_bytes, md5, mime_type, media, origin, diff_bytes, client_created_ms, client_modified_ms,
                          author_id, device_id, device_reference, created_at, restored_from_at)
    SELECT node_id, no, version_id, space_id, blob_id, size_bytes, md5, mime_type, media, origin, diff_bytes, client_created_ms, client_modified_ms,
           author_id, device_id, device_reference, to_timestamp($3::bigint / 1000.0), to_timestamp(restored_from_ms / 1000.0)
      FROM source
  ),
  parent AS (
    UPDATE nodes p SET revision = p.revision + 1, child_files = p.child_files + d.files, child_bytes = p.child_bytes + d.bytes
      FROM (SELECT parent_id, count(*) FILTER (WHERE seen_no = 0) AS files, sum(size_bytes - old_bytes) AS bytes FROM source GROUP BY parent_id) d
     WHERE p.id = d.parent_id
    RETURNING p.id
  )`;

/**
 * The reservation of the sessions becomes use; it was made exactly as large as the bytes when they arrived, so no limit is asked. With the quota held,
 * `still_unlimited` looks at the state of this moment, not at that of the statement's start, and makes the statement run again when a folder has a limit now.
 */
const QUOTA = `
  held AS MATERIALIZED (
    SELECT q.owner_kind, q.owner_id, CASE WHEN q.owner_kind = 'account' THEN still_unlimited($6::uuid) END
      FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM parent)) g CROSS JOIN LATERAL ${lockedQuotas('$4')}
  ),
  total AS (
    SELECT coalesce(sum(reserved_bytes), 0) AS reserved, coalesce(sum(size_bytes), 0) AS used,
           coalesce(sum(size_bytes) FILTER (WHERE media = 'image'), 0) AS image, coalesce(sum(size_bytes) FILTER (WHERE media = 'audio'), 0) AS audio,
           coalesce(sum(size_bytes) FILTER (WHERE media = 'video'), 0) AS video
      FROM source
  ),
  charged AS (
    UPDATE quotas q
       SET reserved_bytes = q.reserved_bytes - t.reserved, used_bytes = q.used_bytes + t.used,
           image_bytes = q.image_bytes + t.image, audio_bytes = q.audio_bytes + t.audio, video_bytes = q.video_bytes + t.video
      FROM held h, total t WHERE q.owner_kind = h.owner_kind AND q.owner_id = h.owner_id
  )`;

const NEWS = `
  done AS (SELECT n.id, ${VERSION_FACTS} AS facts FROM node n), ${plainNews('$5', 'done')}`;

const FROM_NODE = `FROM node n JOIN spaces s ON s.id = n.space_id LEFT JOIN favorites f ON f.node_id = n.id AND f.account_id = $2::bigint`;
const RESULT = `SELECT ${NODE_COLUMNS} ${FROM_NODE}`;
const RESULT_AND_WOKEN = `SELECT ${NODE_COLUMNS}, ${WOKEN_FEEDS} AS woken ${FROM_NODE}`;

const uploadNewFiles = (match: Match, result: string): string =>
  `WITH RECURSIVE ${[ITEM, fromSession(match).newFile, BLOB, INSERT_NODE, NEWS, VERSION_AND_PARENT, QUOTA].join(',')} ${result}`;
const uploadNewVersions = (match: Match, result: string): string =>
  `WITH RECURSIVE ${[ITEM, target(match), fromSession(match).newVersion, BLOB, updateNode(match), NEWS, VERSION_AND_PARENT, QUOTA].join(',')} ${result}`;

/** One file is the whole change of a call: the record of the call, the last parameter, is written by the same statement. */
const recorded = (record: string): string => `SELECT ${NODE_COLUMNS}, ${WOKEN_FEEDS} AS woken, audit_write(${record}) ${FROM_NODE}`;
const UPLOAD = {
  newFile: { one: uploadNewFiles(ONE, recorded('$8')), many: uploadNewFiles(MANY, RESULT_AND_WOKEN) },
  newVersion: { one: uploadNewVersions(ONE, recorded('$9')), many: uploadNewVersions(MANY, RESULT_AND_WOKEN) },
};
const BLOB_NEW_FILE = `WITH ${[ITEM, FROM_BLOB.newFile, INSERT_NODE, VERSION_AND_PARENT].join(',')} ${RESULT}`;
const BLOB_NEW_VERSION = `WITH ${[ITEM, target(MANY), FROM_BLOB.newVersion, updateNode(MANY), VERSION_AND_PARENT].join(',')} ${RESULT}`;

/** Writes files and versions: each call is one statement that does all of its work or none. */
@Injectable()
export class FileWriter {
  constructor(private readonly database: Database) {}

  /**
   * Makes the uploads visible: blob, file or version, the parent's listing, the quota of `ownerId`, the session's end and the `news` of what was
   * written in one statement. All items must be in spaces of that account, and be new files, or all new versions of different files. Items whose
   * session or file changed meanwhile are missing in the answer; so are all of them when the space `unlimitedSpaceId` has a folder with a limit.
   * `viewerId` decides the favourite mark. NAME_TAKEN when a name is in use, PARENT_NOT_FOUND when a folder was erased: then nothing of the call
   * is written.
   */
  async fromUploads(
    ownerId: number,
    viewerId: number | null,
    items: readonly UploadToWrite[],
    nowMs: number,
    news: News,
    unlimitedSpaceId: string | null = null,
  ): Promise<WrittenUploads> {
    const [first, second] = items;
    if (!first) return { nodes: [], woken: [] };
    const text = first.seenVersionNo === 0 ? UPLOAD.newFile : UPLOAD.newVersion;
    const one = first.seenVersionNo === 0 ? [first.sessionId] : [first.sessionId, first.nodeId];
    const values = [JSON.stringify(items.map(toItem)), viewerId, nowMs, ownerId, news, unlimitedSpaceId];
    if (second) return written(await this.database.query<WrittenRow>(text.many, values));
    const row = await this.database.changeOne<WrittenRow>(text.one, [...values, ...one]);
    return written(row ? [row] : []);
  }

  /**
   * A file or version whose bytes are in the store already; the caller charges the quota of the space's owner in the same transaction and holds
   * the blob row. Null when the file changed since it was seen. NAME_TAKEN, PARENT_NOT_FOUND.
   */
  async fromBlob(viewerId: number | null, item: FileToWrite, nowMs: number): Promise<NodeView | null> {
    const text = item.seenVersionNo === 0 ? BLOB_NEW_FILE : BLOB_NEW_VERSION;
    return this.database.queryOne<NodeView>(text, [JSON.stringify([toItem(item)]), viewerId, nowMs]);
  }
}

type WrittenRow = NodeView & { readonly woken: string[] | null; readonly audit_write?: unknown };

function written(rows: readonly WrittenRow[]): WrittenUploads {
  return { nodes: rows.map(({ woken: _woken, audit_write: _recorded, ...node }) => node), woken: rows[0]?.woken ?? [] };
}

function toItem(item: FileToWrite | UploadToWrite): Record<string, string | number | boolean | null> {
  return {
    session_id: 'sessionId' in item ? item.sessionId : null,
    store_key: 'storeKey' in item ? item.storeKey : null,
    node_id: item.nodeId,
    version_id: item.versionId,
    blob_id: item.blobId,
    space_id: item.spaceId,
    parent_id: item.parentId,
    name: item.name,
    name_key: item.nameKey,
    mime_type: item.mimeType,
    media: item.media,
    origin: item.origin,
    diff_bytes: item.diffBytes,
    client_created_ms: item.clientCreatedMs,
    client_modified_ms: item.clientModifiedMs,
    author_id: item.authorId,
    device_id: item.deviceId,
    device_reference: item.deviceReference,
    restored_from_ms: item.restoredFromMs,
    seen_no: item.seenVersionNo,
    only_after_seen: item.onlyAfterSeen,
  };
}
