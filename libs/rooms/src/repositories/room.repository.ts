import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { RoomPerson, RoomRole } from '../room.js';

/** A room that lets its members in, locked until the transaction ends. */
export interface LivingRoom {
  readonly id: string;
  readonly accountId: number;
  readonly spaceId: string;
  readonly capacity: number;
  readonly maxFiles: number;
  readonly maxBytes: number;
  readonly usedBytes: number;
  readonly expiresAt: Date;
}

export interface NewRoom extends Omit<LivingRoom, 'usedBytes'> {
  readonly keyId: string;
  readonly passwordHash: string | null;
  readonly listedOnly: boolean;
  readonly listed: readonly string[];
  readonly createdAt: Date;
}

/** What a door needs to know. */
export interface RoomDoor {
  readonly accountId: number;
  readonly companyId: number | null;
  readonly tokenId: string;
  readonly passwordHash: string | null;
  readonly listedOnly: boolean;
  readonly listed: readonly string[];
}

export interface MemberRow extends RoomPerson {
  readonly passId: string;
  readonly present: boolean;
  readonly banned: boolean;
}

/** A member with all that his credential leads to. */
export interface AdmittedRow extends RoomPerson {
  readonly roomId: string;
  readonly passId: string;
  readonly tokenId: string;
  readonly spaceId: string;
  readonly rootId: string;
  readonly expiresAt: Date;
}

/** A room that is over and has not been removed. */
export interface EndedRoom {
  readonly id: string;
  readonly spaceId: string;
  readonly rootId: string;
  readonly endedAt: Date;
}

interface FactsRow {
  readonly creatorId: string;
  readonly expiresAt: Date;
  readonly capacity: number;
  readonly maxFiles: number;
  readonly maxBytes: number;
  readonly passwordProtected: boolean;
  readonly listed: readonly string[];
}

/** `$2` is now. A room without its key lets nobody in. */
const LIVES = 'r.ended_at IS NULL AND r.expires_at > $2 AND r.key_id IS NOT NULL';
const PERSON = 'm.id, m.role, m.name, m.address';

/** Rows of `rooms` and `room_members`. */
@Injectable()
export class RoomRepository {
  constructor(private readonly database: Database) {}

  async insert(room: NewRoom): Promise<void> {
    await this.database.run(
      `INSERT INTO rooms (id, account_id, key_id, space_id, capacity, max_files, max_bytes, password_hash, listed_only, listed, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        ...[room.id, room.accountId, room.keyId, room.spaceId, room.capacity, room.maxFiles, room.maxBytes, room.passwordHash, room.listedOnly],
        ...[room.listed, room.createdAt, room.expiresAt],
      ],
    );
  }

  /** Rooms of an account that have not ended; counts up to `most`. */
  async count(accountId: number, most: number): Promise<number> {
    const row = await this.database.queryOne<{ count: number }>(
      'SELECT count(*)::int AS count FROM (SELECT 1 FROM rooms WHERE account_id = $1 AND ended_at IS NULL LIMIT $2) r',
      [accountId, most],
    );
    return row!.count;
  }

  /** The room, for this transaction alone; null when it lets nobody in any more. */
  lock(id: string, now: Date): Promise<LivingRoom | null> {
    return this.database.queryOne<LivingRoom & Record<string, unknown>>(
      `SELECT r.id, r.account_id AS "accountId", r.space_id AS "spaceId", r.capacity, r.max_files AS "maxFiles", r.max_bytes AS "maxBytes",
              r.used_bytes AS "usedBytes", r.expires_at AS "expiresAt"
         FROM rooms r WHERE r.id = $1 AND ${LIVES} FOR UPDATE`,
      [id, now],
    );
  }

  /** The room for this transaction alone, whether it has ended or not. False when it is gone. */
  async lockAny(id: string): Promise<boolean> {
    return (await this.database.queryOne('SELECT 1 FROM rooms WHERE id = $1 FOR UPDATE', [id])) !== null;
  }

  door(id: string, now: Date): Promise<RoomDoor | null> {
    return this.database.queryOne<RoomDoor & Record<string, unknown>>(
      `SELECT r.account_id AS "accountId", a.company_id AS "companyId", k.token_id AS "tokenId", r.password_hash AS "passwordHash",
              r.listed_only AS "listedOnly", r.listed
         FROM rooms r JOIN service_keys k ON k.id = r.key_id JOIN accounts a ON a.id = r.account_id WHERE r.id = $1 AND ${LIVES}`,
      [id, now],
    );
  }

  async lives(id: string, now: Date): Promise<boolean> {
    return (await this.database.queryOne(`SELECT 1 FROM rooms r WHERE r.id = $1 AND ${LIVES}`, [id, now])) !== null;
  }

  facts(id: string): Promise<FactsRow | null> {
    return this.database.queryOne<FactsRow & Record<string, unknown>>(
      `SELECT m.id AS "creatorId", r.expires_at AS "expiresAt", r.capacity, r.max_files AS "maxFiles", r.max_bytes AS "maxBytes",
              r.password_hash IS NOT NULL AS "passwordProtected", r.listed
         FROM rooms r JOIN room_members m ON m.room_id = r.id AND m.role = 'host' WHERE r.id = $1`,
      [id],
    );
  }

  /** Who is there, in the order of coming. */
  people(roomId: string): Promise<RoomPerson[]> {
    return this.database.query<RoomPerson & Record<string, unknown>>(
      `SELECT ${PERSON} FROM room_members m WHERE m.room_id = $1 AND m.left_at IS NULL ORDER BY m.joined_at, m.id`,
      [roomId],
    );
  }

  async countPeople(roomId: string): Promise<number> {
    const row = await this.database.queryOne<{ count: number }>(
      'SELECT count(*)::int AS count FROM room_members WHERE room_id = $1 AND left_at IS NULL',
      [roomId],
    );
    return row!.count;
  }

  member(roomId: string, by: { readonly address: string } | { readonly id: string }): Promise<MemberRow | null> {
    const [column, value] = 'id' in by ? ['m.id', by.id] : ['m.address', by.address];
    return this.database.queryOne<MemberRow & Record<string, unknown>>(
      `SELECT ${PERSON}, m.pass_id AS "passId", m.left_at IS NULL AS present, m.banned FROM room_members m WHERE m.room_id = $1 AND ${column} = $2`,
      [roomId, value],
    );
  }

  async addMember(roomId: string, person: RoomPerson & { readonly passId: string }, now: Date): Promise<void> {
    await this.database.run('INSERT INTO room_members (id, room_id, pass_id, address, name, role, joined_at) VALUES ($1, $2, $3, $4, $5, $6, $7)', [
      person.id,
      roomId,
      person.passId,
      person.address,
      person.name,
      person.role satisfies RoomRole,
      now,
    ]);
  }

  async comeBack(memberId: string, passId: string, name: string, now: Date): Promise<void> {
    await this.database.run('UPDATE room_members SET left_at = NULL, pass_id = $2, name = $3, joined_at = $4 WHERE id = $1', [
      memberId,
      passId,
      name,
      now,
    ]);
  }

  /** False when he was not there. */
  async leave(roomId: string, memberId: string, banned: boolean, now: Date): Promise<boolean> {
    const left = await this.database.run(
      'UPDATE room_members SET left_at = $4, banned = banned OR $3 WHERE room_id = $1 AND id = $2 AND left_at IS NULL',
      [roomId, memberId, banned, now],
    );
    return left === 1;
  }

  /** Those of the passes that let in now. */
  admitted(passIds: readonly string[], now: Date): Promise<AdmittedRow[]> {
    return this.database.query<AdmittedRow & Record<string, unknown>>(
      `SELECT ${PERSON}, m.room_id AS "roomId", m.pass_id AS "passId", k.token_id AS "tokenId", r.space_id AS "spaceId", s.root_id AS "rootId",
              r.expires_at AS "expiresAt"
         FROM room_members m JOIN rooms r ON r.id = m.room_id JOIN spaces s ON s.id = r.space_id JOIN service_keys k ON k.id = r.key_id
        WHERE m.pass_id = ANY($1::uuid[]) AND m.left_at IS NULL AND ${LIVES}`,
      [passIds, now],
    );
  }

  async addUsed(roomId: string, bytes: number): Promise<void> {
    if (bytes !== 0) await this.database.run('UPDATE rooms SET used_bytes = used_bytes + $2 WHERE id = $1', [roomId, bytes]);
  }

  async end(roomId: string, now: Date): Promise<void> {
    await this.database.run('UPDATE rooms SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL', [roomId, now]);
  }

  /** Rooms whose time, or whose key, is over and that have not been ended. */
  async due(now: Date, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'SELECT id FROM rooms WHERE ended_at IS NULL AND (expires_at <= $1 OR key_id IS NULL) ORDER BY expires_at LIMIT $2',
      [now, limit],
    );
    return rows.map(({ id }) => id);
  }

  /** Ended rooms that are still there, with their trees, longest ended first, behind one of them. */
  ended(after: EndedRoom | null, limit: number): Promise<EndedRoom[]> {
    return this.database.query(
      `SELECT r.id, r.space_id AS "spaceId", s.root_id AS "rootId", r.ended_at AS "endedAt" FROM rooms r JOIN spaces s ON s.id = r.space_id
        WHERE r.ended_at IS NOT NULL AND ($1::timestamptz IS NULL OR (r.ended_at, r.id) > ($1, $2::uuid)) ORDER BY r.ended_at, r.id LIMIT $3`,
      [after?.endedAt ?? null, after?.id ?? null, limit],
    );
  }
}
