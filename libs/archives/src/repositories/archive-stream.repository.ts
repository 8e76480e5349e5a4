import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import type { AccountActor, AccountRole, Client, GuestActor, Policy } from '#libs/kernel';

import type { ArchiveRoot } from '../archive-selection.js';

export type StreamStatus = 'created' | 'in_progress' | 'completed' | 'error';

export interface NewArchiveStream {
  readonly privateHash: string;
  /** Who may see how far it is; of a guest's stream whoever gave him the pass. */
  readonly accountId: number;
  readonly guest: GuestActor | null;
  /** The token that asked for it: the stream ends with it. Null for a password or a pass. */
  readonly tokenId: string | null;
  readonly roots: readonly ArchiveRoot[];
  readonly windows: boolean;
  readonly label: string;
  readonly fileName: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** How far a stream is, for its owner. Times in ms since the epoch. */
export interface StreamProgress {
  readonly privateHash: string;
  /** 0 to 100. */
  readonly progress: number;
  readonly status: StreamStatus;
  readonly label: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

/** What is needed to give the bytes out. */
export interface GrantedStream {
  readonly privateHash: string;
  /** Whose right counts. */
  readonly owner: AccountActor | GuestActor;
  readonly roots: readonly ArchiveRoot[];
  readonly windows: boolean;
  readonly fileName: string;
  /** Of the archive that was last given out; null before the first time. */
  readonly etag: string | null;
}

interface GrantRow extends Omit<GrantedStream, 'owner'> {
  accountId: number;
  guest: GuestActor | null;
  companyId: number | null;
  role: AccountRole;
  policy: Policy;
}

const PROGRESS = `private_hash AS "privateHash", progress, status, label, (extract(epoch FROM created_at) * 1000)::bigint AS "createdMs",
  (extract(epoch FROM modified_at) * 1000)::bigint AS "modifiedMs"`;

/** The account `a` may sign in at the time `now`, an SQL expression of ours. */
const maySignIn = (now: string): string => `a.state = 'active' AND (a.expires_at IS NULL OR a.expires_at > ${now})`;

/** The account `a` may have bytes. */
const MAY_DOWNLOAD = '(SELECT p.can_download FROM effective_policies p WHERE p.account_id = a.id)';

/** The token that asked for the stream `s` still lets in. */
const tokenHolds = (now: string): string =>
  `(s.token_id IS NULL OR EXISTS (SELECT 1 FROM auth_tokens t WHERE t.id = s.token_id AND NOT t.remote_wipe AND (t.expires_at IS NULL OR t.expires_at > ${now})))`;

/** Rows of `archive_streams`. */
@Injectable()
export class ArchiveStreamRepository {
  constructor(private readonly database: Database) {}

  async insert(stream: NewArchiveStream): Promise<void> {
    const { privateHash, accountId, guest, tokenId, roots, windows, label, fileName, createdAt, expiresAt } = stream;
    await this.database.run(
      `INSERT INTO archive_streams (private_hash, account_id, roots, windows, label, file_name, created_at, modified_at, expires_at, guest, token_id)
       VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7, $7, $8, $9::jsonb, $10)`,
      [privateHash, accountId, JSON.stringify(roots), windows, label, fileName, createdAt, expiresAt, guest && JSON.stringify(guest), tokenId],
    );
  }

  /** Removes up to `limit` streams that nobody can open any more. */
  async removeExpired(now: Date, limit: number): Promise<void> {
    await this.database.run(
      `DELETE FROM archive_streams WHERE private_hash IN (
         SELECT private_hash FROM archive_streams WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [now, limit],
    );
  }

  /** The stream for who fetches it from `client`, while it has not expired, its token holds and its owner, or who gave the pass, may sign in; or null. */
  async findGranted(privateHash: string, client: Client | undefined, now: Date): Promise<GrantedStream | null> {
    const row = await this.database.queryOne<GrantRow>(
      `SELECT s.private_hash AS "privateHash", s.account_id AS "accountId", a.company_id AS "companyId", a.role, p.policy, s.guest, s.roots, s.windows,
              s.file_name AS "fileName", s.etag
         FROM archive_streams s JOIN accounts a ON a.id = s.account_id AND ${maySignIn('$2')}
         JOIN effective_policies p ON p.account_id = a.id
        WHERE s.private_hash = $1 AND s.expires_at > $2 AND ${tokenHolds('$2')}`,
      [privateHash, now],
    );
    if (!row) return null;
    const { accountId, guest, companyId, role, policy, ...stream } = row;
    return { ...stream, owner: guest ?? { kind: 'account', accountId, companyId, role, tokenId: null, policy, ...(client ? { client } : {}) } };
  }

  /** The account as an actor, while it may sign in; or null. */
  async findOwner(accountId: number, now: Date): Promise<AccountActor | null> {
    const row = await this.database.queryOne<{ companyId: number | null; role: AccountRole; policy: Policy }>(
      `SELECT a.company_id AS "companyId", a.role, p.policy FROM accounts a JOIN effective_policies p ON p.account_id = a.id WHERE a.id = $1 AND ${maySignIn('$2')}`,
      [accountId, now],
    );
    return row && { kind: 'account', accountId, companyId: row.companyId, role: row.role, tokenId: null, policy: row.policy };
  }

  /** Bytes of the archive `etag` are being given out. */
  async begin(privateHash: string, etag: string, progress: number, now: Date): Promise<void> {
    await this.database.run(`UPDATE archive_streams SET status = 'in_progress', etag = $2, progress = $3, modified_at = $4 WHERE private_hash = $1`, [
      privateHash,
      etag,
      progress,
      now,
    ]);
  }

  /** Notes how far the stream is. False when its owner may not sign in or not have bytes any more, or its token has ended: then it has to end. */
  async saveProgress(privateHash: string, status: StreamStatus, progress: number, now: Date): Promise<boolean> {
    const changed = await this.database.run(
      `UPDATE archive_streams s SET status = $2, progress = $3, modified_at = $4
         FROM accounts a WHERE s.private_hash = $1 AND a.id = s.account_id AND ${maySignIn('$4')} AND ${MAY_DOWNLOAD} AND ${tokenHolds('$4')}`,
      [privateHash, status, progress, now],
    );
    return changed === 1;
  }

  /** One stream of the account, or null. */
  async findProgress(accountId: number, privateHash: string, now: Date): Promise<StreamProgress | null> {
    return this.database.queryOne(
      `SELECT ${PROGRESS} FROM archive_streams WHERE private_hash = $2 AND account_id = $1 AND guest IS NULL AND expires_at > $3`,
      [accountId, privateHash, now],
    );
  }

  /** The newest streams of the account, oldest of them first. */
  async listProgress(accountId: number, now: Date, limit: number): Promise<StreamProgress[]> {
    return this.database.query(
      `SELECT * FROM (
         SELECT ${PROGRESS} FROM archive_streams WHERE account_id = $1 AND guest IS NULL AND expires_at > $2 ORDER BY created_at DESC LIMIT $3
       ) newest ORDER BY "createdMs", "privateHash"`,
      [accountId, now, limit],
    );
  }
}
