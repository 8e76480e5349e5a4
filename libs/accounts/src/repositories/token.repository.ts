import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import type { AccountRole, Policy } from '#libs/kernel';

import type { AccountState } from './account.repository.js';

/** A token as its owner sees it; its value is not stored. */
export interface TokenRecord {
  readonly id: string;
  readonly permanent: boolean;
  readonly deviceDescription: string;
  readonly remoteWipe: boolean;
  /** How far the wiping of its device has come; null = it is not to be wiped. */
  readonly wipeState: 'pending' | 'delivered' | 'confirmed' | null;
  readonly createdMs: number;
  readonly lastUsedMs: number;
  readonly expiresMs: number | null;
}

export interface NewToken {
  readonly id: string;
  readonly accountId: number;
  readonly secretSha256: Buffer;
  readonly permanent: boolean;
  readonly deviceDescription: string;
  readonly userAgent: string;
  readonly ip: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

/** Whom a token stands for: `accountId` acts, `ownerId` logged in; they differ only while an admin acts as somebody. */
export interface TokenHolder {
  readonly tokenId: string;
  readonly ownerId: number;
  readonly ownerState: AccountState;
  readonly accountId: number;
  readonly companyId: number | null;
  readonly role: AccountRole;
  readonly state: AccountState;
  readonly accountExpiresAt: Date | null;
  readonly ownerExpiresAt: Date | null;
  readonly tokenExpiresAt: Date | null;
  readonly lastUsedAt: Date;
  /** The device of the token is to be wiped: it opens nothing any more. */
  readonly remoteWipe: boolean;
  /** How long the token lives without being used, as the company of its owner says; null = as long as it has. */
  readonly idleMs: number | null;
  readonly policy: Policy;
}

/** An account as it may act now, without a token. */
export type ActingAccount = Pick<TokenHolder, 'accountId' | 'companyId' | 'role' | 'state' | 'accountExpiresAt' | 'policy'>;

/** The time of last use is written to the minute. */
export const USE_GRAIN_MS = 60_000;

/** The state of account `a` in company `c`: people of a company that is closed are as switched off; administrators of the system are not. */
const STATE = `CASE WHEN a.state = 'active' AND a.role <> 'admin' AND c.status IN ('inactive', 'denied', 'removing') THEN 'disabled' ELSE a.state END`;

/** How long a token lives unused, in ms. Programs that keep a token for good are not people who left their desk. */
const IDLE = `CASE WHEN NOT t.permanent AND (oc.settings ->> 'logoutTimeoutEnable')::boolean THEN nullif((oc.settings ->> 'logoutTimeout')::int, 0) * 60000::float8 END`;

const HOLDER = `SELECT t.id AS "tokenId", t.account_id AS "ownerId", o.state AS "ownerState", o.expires_at AS "ownerExpiresAt", a.id AS "accountId",
    a.company_id AS "companyId", a.role, ${STATE} AS state, a.expires_at AS "accountExpiresAt", t.expires_at AS "tokenExpiresAt",
    t.last_used_at AS "lastUsedAt", t.remote_wipe AS "remoteWipe", ${IDLE} AS "idleMs", p.policy
  FROM auth_tokens t
  JOIN accounts o ON o.id = t.account_id
  JOIN accounts a ON a.id = coalesce(t.effective_account_id, t.account_id)
  JOIN effective_policies p ON p.account_id = a.id
  LEFT JOIN companies c ON c.id = a.company_id
  LEFT JOIN companies oc ON oc.id = o.company_id`;

@Injectable()
export class TokenRepository {
  constructor(private readonly database: Database) {}

  async insert(token: NewToken): Promise<void> {
    await this.database.run(
      `INSERT INTO auth_tokens (id, account_id, secret_sha256, permanent, device_description, user_agent, ip, created_at, last_used_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)`,
      [
        token.id,
        token.accountId,
        token.secretSha256,
        token.permanent,
        token.deviceDescription,
        token.userAgent,
        token.ip,
        token.createdAt,
        token.expiresAt,
      ],
    );
  }

  /** The hot read behind every request. */
  findHolder(secretSha256: Buffer): Promise<TokenHolder | null> {
    return this.database.queryOne<TokenHolder & Record<string, unknown>>(`${HOLDER} WHERE t.secret_sha256 = $1`, [secretSha256]);
  }

  /** The same by the id of the token. */
  findHolderOf(tokenId: string): Promise<TokenHolder | null> {
    return this.database.queryOne<TokenHolder & Record<string, unknown>>(`${HOLDER} WHERE t.id = $1`, [tokenId]);
  }

  /** An account without a token: of HTTP Basic. */
  findAccount(accountId: number): Promise<ActingAccount | null> {
    return this.database.queryOne<ActingAccount & Record<string, unknown>>(
      `SELECT a.id AS "accountId", a.company_id AS "companyId", a.role, ${STATE} AS state, a.expires_at AS "accountExpiresAt", p.policy
         FROM accounts a JOIN effective_policies p ON p.account_id = a.id LEFT JOIN companies c ON c.id = a.company_id WHERE a.id = $1`,
      [accountId],
    );
  }

  /** Which of these tokens still let in as these accounts, and what is allowed to those; `acts`: the account is another one than the owner of the token. */
  letIn(
    holders: readonly { readonly tokenId: string; readonly accountId: number }[],
    now: Date,
  ): Promise<{ readonly tokenId: string; readonly policy: Policy; readonly acts: boolean }[]> {
    return this.database.query<{ tokenId: string; policy: Policy; acts: boolean }>(
      `SELECT t.id AS "tokenId", p.policy, a.id <> o.id AS acts
         FROM unnest($1::text[], $2::bigint[]) AS h (id, account_id)
         JOIN auth_tokens t ON t.id = h.id AND coalesce(t.effective_account_id, t.account_id) = h.account_id
         JOIN accounts o ON o.id = t.account_id
         JOIN accounts a ON a.id = h.account_id
         JOIN effective_policies p ON p.account_id = a.id
         LEFT JOIN companies c ON c.id = a.company_id
         LEFT JOIN companies oc ON oc.id = o.company_id
         CROSS JOIN LATERAL (SELECT ${IDLE} AS ms) idle
        WHERE (idle.ms IS NULL OR $3 < t.last_used_at + (greatest(idle.ms, $4) + $4) * interval '1 ms') AND o.state = 'active' AND ${STATE} = 'active' AND NOT t.remote_wipe AND coalesce(t.expires_at > $3, true) AND coalesce(o.expires_at > $3, true) AND coalesce(a.expires_at > $3, true)`,
      [holders.map((holder) => holder.tokenId), holders.map((holder) => holder.accountId), now, USE_GRAIN_MS],
    );
  }

  /** Tokens of an account that have not ended, oldest first. */
  list(accountId: number, options: { permanentOnly: boolean }, now: Date): Promise<TokenRecord[]> {
    return this.database.query<TokenRecord & Record<string, unknown>>(
      `SELECT id, permanent, device_description AS "deviceDescription", remote_wipe AS "remoteWipe",
              CASE WHEN NOT remote_wipe THEN NULL WHEN wiped_at IS NOT NULL THEN 'confirmed' WHEN wipe_delivered_at IS NOT NULL THEN 'delivered' ELSE 'pending' END AS "wipeState",
              floor(extract(epoch FROM created_at) * 1000)::float8 AS "createdMs", floor(extract(epoch FROM last_used_at) * 1000)::float8 AS "lastUsedMs",
              floor(extract(epoch FROM expires_at) * 1000)::float8 AS "expiresMs"
         FROM auth_tokens WHERE account_id = $1 AND (permanent OR NOT $2) AND (expires_at IS NULL OR expires_at > $3) ORDER BY created_at, id`,
      [accountId, options.permanentOnly, now],
    );
  }

  async remove(accountId: number, id: string): Promise<boolean> {
    return (await this.database.run('DELETE FROM auth_tokens WHERE account_id = $1 AND id = $2', [accountId, id])) > 0;
  }

  /** Ends a token whoever owns it: it has just been shown. */
  async removeHeldBy(id: string): Promise<boolean> {
    return (await this.database.run('DELETE FROM auth_tokens WHERE id = $1', [id])) > 0;
  }

  /** Ends all tokens of an account but `exceptId`. */
  async removeAll(accountId: number, exceptId: string | null): Promise<void> {
    await this.database.run('DELETE FROM auth_tokens WHERE account_id = $1 AND id IS DISTINCT FROM $2', [accountId, exceptId]);
  }

  /** Ends all tokens of an account but those of devices that have yet to be told to wipe themselves, and all by which others act as it. */
  async endAccess(accountId: number): Promise<void> {
    await this.database.run('DELETE FROM auth_tokens WHERE (account_id = $1 AND NOT remote_wipe) OR effective_account_id = $1', [accountId]);
  }

  /** Ends the tokens by which anybody acts as this account, and those by which it acts as others. */
  async endActing(accountId: number): Promise<void> {
    await this.database.run('DELETE FROM auth_tokens WHERE effective_account_id = $1 OR (account_id = $1 AND effective_account_id IS NOT NULL)', [
      accountId,
    ]);
  }

  /** Lets a token act as another account, or as its owner again (null). False when the owner has no such token. */
  async setEffective(tokenId: string, ownerId: number, effectiveId: number | null): Promise<boolean> {
    return (
      (await this.database.run('UPDATE auth_tokens SET effective_account_id = $3 WHERE id = $1 AND account_id = $2', [
        tokenId,
        ownerId,
        effectiveId,
      ])) > 0
    );
  }

  async touch(ids: readonly string[], now: Date, before: Date): Promise<void> {
    await this.database.run('UPDATE auth_tokens SET last_used_at = $2 WHERE id = ANY($1::text[]) AND last_used_at <= $3', [ids, now, before]);
  }

  /** Removes up to `count` tokens that ended before `now`; how many there were. */
  removeExpired(now: Date, count: number): Promise<number> {
    return this.database.run(
      'DELETE FROM auth_tokens WHERE id IN (SELECT id FROM auth_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)',
      [now, count],
    );
  }
}
