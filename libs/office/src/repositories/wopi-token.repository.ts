import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import type { AccountRole, Client, GuestActor, Policy } from '#libs/kernel';

export interface NewWopiToken {
  readonly secretSha256: Buffer;
  readonly nodeId: string;
  readonly versionNo: number | null;
  readonly mayWrite: boolean;
  readonly accountId: number | null;
  readonly authTokenId: string | null;
  readonly byPair: boolean;
  readonly guest: GuestActor | null;
  /** With what, and from where, the document was opened. */
  readonly client: Client | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Whom a token stands for now. Name and language are empty for a guest. */
export interface WopiHolder {
  readonly nodeId: string;
  readonly versionNo: number | null;
  readonly mayWrite: boolean;
  readonly accountId: number | null;
  readonly companyId: number | null;
  readonly role: AccountRole | null;
  readonly authTokenId: string | null;
  readonly byPair: boolean;
  readonly policy: Policy | null;
  readonly client: Client | null;
  readonly name: string;
  readonly guest: GuestActor | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Access tokens of office servers. They are kept as hashes, and end with the login that they came from. */
@Injectable()
export class WopiTokenRepository {
  constructor(private readonly database: Database) {}

  /** Adds a token and removes a few that have ended. */
  async insert(token: NewWopiToken): Promise<void> {
    await this.database.run(
      `WITH ended AS (
         DELETE FROM wopi_tokens WHERE secret_sha256 IN (
           SELECT secret_sha256 FROM wopi_tokens WHERE expires_at <= $9::timestamptz ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED)
       )
       INSERT INTO wopi_tokens (secret_sha256, node_id, version_no, may_write, account_id, auth_token_id, by_pair, guest, created_at, expires_at, client)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10, $11)`,
      [
        token.secretSha256,
        token.nodeId,
        token.versionNo,
        token.mayWrite,
        token.accountId,
        token.authTokenId,
        token.byPair,
        token.guest === null ? null : JSON.stringify(token.guest),
        token.createdAt,
        token.expiresAt,
        token.client === null ? null : JSON.stringify(token.client),
      ],
    );
  }

  /**
   * The holder of a token, unless it has ended: by time, with the account, with the login (a token of ours, a changed password, a withdrawn pair
   * for HTTP Basic), or because an administrator no longer acts as somebody.
   */
  find(secretSha256: Buffer, now: Date): Promise<WopiHolder | null> {
    return this.database.queryOne<WopiHolder & Record<string, unknown>>(
      `SELECT w.node_id AS "nodeId", w.version_no AS "versionNo", w.may_write AS "mayWrite", w.account_id AS "accountId", a.company_id AS "companyId", a.role,
              w.auth_token_id AS "authTokenId", w.by_pair AS "byPair", p.policy, w.client, coalesce(a.name, '') AS name, w.guest, w.created_at AS "createdAt",
              w.expires_at AS "expiresAt"
         FROM wopi_tokens w
         LEFT JOIN accounts a ON a.id = w.account_id
         LEFT JOIN effective_policies p ON p.account_id = a.id
         LEFT JOIN auth_tokens t ON t.id = w.auth_token_id
         LEFT JOIN accounts o ON o.id = t.account_id
        WHERE w.secret_sha256 = $1 AND w.expires_at > $2
          AND (w.account_id IS NULL OR (a.state = 'active' AND (a.expires_at IS NULL OR a.expires_at > $2)))
          AND (w.auth_token_id IS NULL OR ((t.expires_at IS NULL OR t.expires_at > $2) AND coalesce(t.effective_account_id, t.account_id) = w.account_id
               AND o.state = 'active' AND (o.expires_at IS NULL OR o.expires_at > $2)))
          AND (w.account_id IS NULL OR w.auth_token_id IS NOT NULL OR a.password_changed_at IS NULL OR a.password_changed_at <= w.created_at)
          AND (NOT w.by_pair OR EXISTS (SELECT 1 FROM logins l WHERE l.account_id = w.account_id AND l.kind = 'basic' AND l.created_at <= w.created_at))`,
      [secretSha256, now],
    );
  }
}
