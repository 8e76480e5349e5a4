import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { RoomFile } from '../room.js';

export interface NewFile {
  readonly id: string;
  readonly roomId: string;
  readonly memberId: string;
  readonly uploadId: string;
  readonly name: string | null;
  readonly totalParts: number;
  readonly declaredBytes: number | null;
  readonly tempName: string;
  readonly createdAt: Date;
}

/** A file with what only its keepers need. */
export interface FileRow extends RoomFile {
  readonly tempName: string;
  readonly tagsSha256: Buffer | null;
}

export interface PartRow {
  readonly id: string;
  readonly fileId: string;
  readonly no: number;
  readonly storeKey: string;
  readonly sizeBytes: number;
}

export interface ArrivedPart extends PartRow {
  readonly md5: string;
  readonly sha256: string;
  readonly crc32: number;
}

const FILE = `f.id, f.room_id AS "roomId", f.member_id AS "memberId", f.upload_id AS "uploadId", f.name, f.total_parts AS "totalParts",
  f.declared_bytes AS "declaredBytes", f.held_bytes AS "heldBytes", f.node_id AS "nodeId", f.created_at AS "createdAt", f.completed_at AS "completedAt",
  f.temp_name AS "tempName", f.tags_sha256 AS "tagsSha256",
  CASE WHEN f.node_id IS NULL THEN (SELECT count(*)::int FROM room_parts p WHERE p.file_id = f.id AND p.arrived) ELSE f.total_parts END AS "arrivedParts"`;
const PART = 'p.id, p.file_id AS "fileId", p.no, p.store_key AS "storeKey", p.size_bytes AS "sizeBytes"';

/** Rows of `room_files` and `room_parts`. */
@Injectable()
export class RoomFileRepository {
  constructor(private readonly database: Database) {}

  async insert(file: NewFile): Promise<void> {
    await this.database.run(
      `INSERT INTO room_files (id, room_id, member_id, upload_id, name, total_parts, declared_bytes, temp_name, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [file.id, file.roomId, file.memberId, file.uploadId, file.name, file.totalParts, file.declaredBytes, file.tempName, file.createdAt],
    );
  }

  async count(roomId: string): Promise<number> {
    return (await this.database.queryOne<{ count: number }>('SELECT count(*)::int AS count FROM room_files WHERE room_id = $1', [roomId]))!.count;
  }

  /** All files of a room, oldest first. */
  list(roomId: string): Promise<FileRow[]> {
    return this.database.query<FileRow & Record<string, unknown>>(
      `SELECT ${FILE} FROM room_files f WHERE f.room_id = $1 ORDER BY f.created_at, f.id`,
      [roomId],
    );
  }

  find(roomId: string, id: string): Promise<FileRow | null> {
    return this.database.queryOne<FileRow & Record<string, unknown>>(`SELECT ${FILE} FROM room_files f WHERE f.room_id = $1 AND f.id = $2`, [
      roomId,
      id,
    ]);
  }

  async remove(id: string): Promise<void> {
    await this.database.run('DELETE FROM room_files WHERE id = $1', [id]);
  }

  async addHeld(id: string, bytes: number): Promise<void> {
    if (bytes !== 0) await this.database.run('UPDATE room_files SET held_bytes = held_bytes + $2 WHERE id = $1', [id, bytes]);
  }

  async complete(id: string, nodeId: string, tagsSha256: Buffer, now: Date): Promise<void> {
    await this.database.run('UPDATE room_files SET node_id = $2, tags_sha256 = $3, completed_at = $4 WHERE id = $1', [id, nodeId, tagsSha256, now]);
  }

  async beginPart({ id, fileId, no, storeKey, sizeBytes }: PartRow, now: Date): Promise<void> {
    await this.database.run('INSERT INTO room_parts (id, file_id, no, store_key, size_bytes, begun_at) VALUES ($1, $2, $3, $4, $5, $6)', [
      ...[id, fileId, no, storeKey, sizeBytes, now],
    ]);
  }

  /** A part that is on its way; null when it was given up. */
  underWay(id: string): Promise<PartRow | null> {
    return this.database.queryOne<PartRow & Record<string, unknown>>(`SELECT ${PART} FROM room_parts p WHERE p.id = $1 AND NOT p.arrived`, [id]);
  }

  async hasPart(id: string): Promise<boolean> {
    return (await this.database.queryOne('SELECT 1 FROM room_parts WHERE id = $1', [id])) !== null;
  }

  /** Parts that have been on their way since before `before`, with their rooms. */
  underWaySince(before: Date, limit: number): Promise<(PartRow & { readonly roomId: string })[]> {
    return this.database.query<PartRow & { roomId: string } & Record<string, unknown>>(
      `SELECT ${PART}, f.room_id AS "roomId" FROM room_parts p JOIN room_files f ON f.id = p.file_id
        WHERE NOT p.arrived AND p.begun_at < $1 ORDER BY p.begun_at LIMIT $2`,
      [before, limit],
    );
  }

  async arrive(id: string, blob: { sizeBytes: number; md5: string; sha256: string; crc32: number }): Promise<void> {
    await this.database.run('UPDATE room_parts SET arrived = true, size_bytes = $2, md5 = $3, sha256 = $4, crc32 = $5 WHERE id = $1', [
      ...[id, blob.sizeBytes, blob.md5, blob.sha256, blob.crc32],
    ]);
  }

  async removeParts(ids: readonly string[]): Promise<void> {
    await this.database.run('DELETE FROM room_parts WHERE id = ANY($1::uuid[])', [ids]);
  }

  /** The parts that have arrived, in their order. */
  arrived(fileId: string): Promise<ArrivedPart[]> {
    return this.database.query<ArrivedPart & Record<string, unknown>>(
      `SELECT ${PART}, p.md5, p.sha256, p.crc32 FROM room_parts p WHERE p.file_id = $1 AND p.arrived ORDER BY p.no`,
      [fileId],
    );
  }

  /** The arrived part of a number, to be replaced. */
  arrivedAt(fileId: string, no: number): Promise<PartRow | null> {
    return this.database.queryOne<PartRow & Record<string, unknown>>(
      `SELECT ${PART} FROM room_parts p WHERE p.file_id = $1 AND p.no = $2 AND p.arrived`,
      [fileId, no],
    );
  }

  /** Has the object of a part deleted at `now`, unless a file has it by now: then it is no object to be deleted any more. */
  async dropObject(storeKey: string, now: Date): Promise<void> {
    await this.database.run('UPDATE object_tombstones SET due_at = least(due_at, $2) WHERE store_key = $1', [storeKey, now]);
  }

  /** Has the objects of all parts of the files deleted at `now`, those on their way when nobody can be writing them any more. */
  async dropParts(by: { readonly fileId: string } | { readonly roomId: string }, now: Date): Promise<void> {
    const [column, value] = 'fileId' in by ? ['f.id', by.fileId] : ['f.room_id', by.roomId];
    await this.database.run(
      `WITH gone AS (DELETE FROM room_parts p USING room_files f WHERE f.id = p.file_id AND ${column} = $1 RETURNING p.store_key, p.arrived)
       UPDATE object_tombstones t SET due_at = least(t.due_at, $2) FROM gone WHERE gone.arrived AND t.store_key = gone.store_key`,
      [value, now],
    );
  }
}
