import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Link, LinkRights } from '../link.js';

/** What a link can be given when it is made, and changed to later. Absent = as it is, or the default. */
export interface LinkOptions {
  readonly rights?: LinkRights;
  /** Null = without end. */
  readonly expiresAt?: Date | null;
  readonly downloadMax?: number;
  /** Null = none. */
  readonly passwordHash?: string | null;
  readonly notify?: boolean;
}

export interface NewLink {
  readonly id: string;
  readonly nodeId: string;
  readonly issuerId: number;
  readonly hash: string;
  readonly createdAt: Date;
}

/** A link with what its opening needs beside it. */
export interface LinkAtDoor extends Link {
  readonly spaceId: string;
  readonly passwordHash: string | null;
  readonly issuerCompanyId: number | null;
}

const COLUMNS = `l.id, l.node_id AS "nodeId", l.issuer_id AS "issuerId", l.hash, l.rights, l.password_hash IS NOT NULL AS "hasPassword",
  (extract(epoch FROM l.expires_at) * 1000)::bigint AS "expiresMs", l.download_max AS "downloadMax", l.download_count AS "downloadCount", l.notify,
  l.blocked_at IS NOT NULL AS blocked, (extract(epoch FROM l.created_at) * 1000)::bigint AS "createdMs"`;

type Row = Link & Record<string, unknown>;

/** Rows of `links`. */
@Injectable()
export class LinkRepository {
  constructor(private readonly database: Database) {}

  /** The link of one issuer to a node, locked until the end of the transaction. */
  lockOf(nodeId: string, issuerId: number): Promise<Link | null> {
    return this.database.queryOne<Row>(`SELECT ${COLUMNS} FROM links l WHERE l.node_id = $1 AND l.issuer_id = $2 FOR UPDATE`, [nodeId, issuerId]);
  }

  /** The new link, or null when somebody has made it in this moment. */
  insert({ id, nodeId, issuerId, hash, createdAt }: NewLink, options: LinkOptions): Promise<Link | null> {
    return this.database.queryOne<Row>(
      `INSERT INTO links AS l (id, node_id, issuer_id, hash, created_at, rights, expires_at, download_max, password_hash, notify)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (node_id, issuer_id) DO NOTHING RETURNING ${COLUMNS}`,
      [
        id,
        nodeId,
        issuerId,
        hash,
        createdAt,
        options.rights ?? 'download',
        options.expiresAt ?? null,
        options.downloadMax ?? 0,
        options.passwordHash ?? null,
        options.notify ?? false,
      ],
    );
  }

  /** The link after the change. */
  async change(id: string, options: LinkOptions): Promise<Link> {
    const row = await this.database.queryOne<Row>(
      `UPDATE links l SET rights = coalesce($2, rights), expires_at = CASE WHEN $3 THEN $4::timestamptz ELSE expires_at END,
              download_max = coalesce($5, download_max), password_hash = CASE WHEN $6 THEN $7 ELSE password_hash END, notify = coalesce($8, notify)
        WHERE id = $1 RETURNING ${COLUMNS}`,
      [
        id,
        options.rights ?? null,
        options.expiresAt !== undefined,
        options.expiresAt ?? null,
        options.downloadMax ?? null,
        options.passwordHash !== undefined,
        options.passwordHash ?? null,
        options.notify ?? null,
      ],
    );
    if (!row) throw new Error(`link ${id} vanished under its lock`);
    return row;
  }

  /** False when it is gone already. */
  async remove(id: string): Promise<boolean> {
    return (await this.database.run('DELETE FROM links WHERE id = $1', [id])) === 1;
  }

  /** The links of one issuer, oldest first. */
  ofIssuer(issuerId: number, hash: string | null, limit: number): Promise<Link[]> {
    return this.database.query<Row>(
      `SELECT ${COLUMNS} FROM links l WHERE l.issuer_id = $1 AND ($2::text IS NULL OR l.hash = $2) ORDER BY l.created_at, l.id LIMIT $3`,
      [issuerId, hash, limit],
    );
  }

  /** The link of a hash, as its row has it: whether it opens is for libs/access to say. */
  atDoor(hash: string): Promise<LinkAtDoor | null> {
    return this.database.queryOne<LinkAtDoor & Record<string, unknown>>(
      `SELECT ${COLUMNS}, n.space_id AS "spaceId", l.password_hash AS "passwordHash", a.company_id AS "issuerCompanyId"
         FROM links l JOIN nodes n ON n.id = l.node_id JOIN accounts a ON a.id = l.issuer_id WHERE l.hash = $1`,
      [hash],
    );
  }

  /**
   * Counts one download and returns whether the issuer wants to hear of it; null when the link is gone, has ended, or is used up. The row's
   * lock puts all who race into one line, and each sees the count of the one before.
   */
  countDownload(id: string, now: Date): Promise<{ notify: boolean } | null> {
    return this.database.queryOne<{ notify: boolean }>(
      `UPDATE links SET download_count = download_count + 1
        WHERE id = $1 AND rights = 'download' AND (download_max = 0 OR download_count < download_max) AND (expires_at IS NULL OR expires_at > $2)
          AND blocked_at IS NULL RETURNING notify`,
      [id, now],
    );
  }

  /** Whether the company of an account allows public links. */
  async allowedTo(accountId: number): Promise<boolean> {
    const row = await this.database.queryOne<{ allowed: boolean }>(
      'SELECT coalesce(c.public_links_allow, true) AS allowed FROM accounts a LEFT JOIN companies c ON c.id = a.company_id WHERE a.id = $1',
      [accountId],
    );
    return row?.allowed ?? false;
  }

  /** True while the account may work. */
  async isActive(accountId: number, now: Date): Promise<boolean> {
    const row = await this.database.queryOne(
      `SELECT 1 AS found FROM accounts WHERE id = $1 AND state = 'active' AND (expires_at IS NULL OR expires_at > $2)`,
      [accountId, now],
    );
    return row !== null;
  }
}
