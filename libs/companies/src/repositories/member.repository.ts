import { Injectable } from '@nestjs/common';

import { OwnPoliciesRepository, type PolicyChange } from '#libs/accounts';
import { Database } from '#libs/database';

export type MemberState = 'pending' | 'active' | 'disabled' | 'deleted';

/** What decides how a member may be changed. */
export interface MemberStanding {
  readonly accountId: number;
  readonly state: MemberState;
  readonly isCompanyAdmin: boolean;
  readonly isSystemAdmin: boolean;
  readonly isOwner: boolean;
}

/** Rules for what one person may do. Absent ones stay as they are. */
export type MemberPolicies = PolicyChange;

export interface MemberPage {
  readonly companyId: number;
  /** Part of the name or of a login; empty = all. */
  readonly text: string;
  readonly orderBy: MemberOrder;
  readonly offset: number;
  readonly limit: number;
}

/** Statements are prepared under their text, so each order is a text of its own. */
const ORDERS = {
  name: 'lower(a.name), a.id',
  '-name': 'lower(a.name) DESC, a.id DESC',
  userid: 'a.id',
  '-userid': 'a.id DESC',
  created: 'a.created_at, a.id',
  '-created': 'a.created_at DESC, a.id DESC',
} as const;
export type MemberOrder = keyof typeof ORDERS;
export const MEMBER_ORDERS = Object.keys(ORDERS) as MemberOrder[];

/** A member of a page; `invitedUntilMs`: he was invited and has not come yet. */
export interface ListedMember {
  readonly accountId: number;
  readonly invitedUntilMs: number | null;
  /** When he asked for more space and nobody has looked at it yet. */
  readonly quotaRequestMs: number | null;
}

const MS = (column: string): string => `floor(extract(epoch FROM ${column}) * 1000)::float8`;
const MATCHES = `a.company_id = $1 AND a.state <> 'deleted' AND ($2 = '' OR strpos(lower(a.name), lower($2)) > 0
  OR EXISTS (SELECT 1 FROM logins l WHERE l.account_id = a.id AND strpos(l.value_key, lower($2)) > 0))`;

/** The accounts of a company. */
@Injectable()
export class MemberRepository {
  constructor(
    private readonly database: Database,
    private readonly policies: OwnPoliciesRepository,
  ) {}

  async page({ companyId, text, orderBy, offset, limit }: MemberPage): Promise<{ members: ListedMember[]; count: number }> {
    const members = await this.database.query<ListedMember & Record<string, unknown>>(
      `SELECT a.id AS "accountId",
              CASE WHEN a.state = 'pending' AND a.password_hash IS NULL THEN
                (SELECT ${MS('max(s.expires_at)')} FROM account_secrets s WHERE s.account_id = a.id AND s.purpose = 'invite' AND s.used_at IS NULL) END AS "invitedUntilMs",
              (SELECT ${MS('r.created_at')} FROM quota_requests r WHERE r.account_id = a.id AND r.company_id = $1 AND r.viewed_at IS NULL) AS "quotaRequestMs"
         FROM accounts a WHERE ${MATCHES} ORDER BY ${ORDERS[orderBy]} OFFSET $3 LIMIT $4`,
      [companyId, text, offset, limit],
    );
    const row = await this.database.queryOne<{ count: number }>(`SELECT count(*) FROM accounts a WHERE ${MATCHES}`, [companyId, text]);
    return { members, count: row!.count };
  }

  /** Those of the accounts that belong to the company and are not deleted, kept from other changes until the transaction ends; by id. */
  lock(companyId: number, accountIds: readonly number[]): Promise<MemberStanding[]> {
    return this.database.query<MemberStanding & Record<string, unknown>>(
      `SELECT a.id AS "accountId", a.state, a.is_company_admin AS "isCompanyAdmin", a.role = 'admin' AS "isSystemAdmin",
              c.owner_id IS NOT DISTINCT FROM a.id AS "isOwner"
         FROM accounts a JOIN companies c ON c.id = a.company_id
        WHERE a.company_id = $1 AND a.id = ANY($2::bigint[]) AND a.state <> 'deleted' ORDER BY a.id FOR NO KEY UPDATE OF a`,
      [companyId, accountIds],
    );
  }

  /** The account that was invited to the company under this address and has not come yet; kept from other changes. */
  async lockInvited(companyId: number, emailKey: string): Promise<number | null> {
    const row = await this.database.queryOne<{ id: number }>(
      `SELECT a.id FROM logins l JOIN accounts a ON a.id = l.account_id
        WHERE l.kind = 'email' AND l.value_key = $2 AND a.company_id = $1 AND a.state = 'pending' AND a.password_hash IS NULL FOR UPDATE OF a`,
      [companyId, emailKey],
    );
    return row?.id ?? null;
  }

  /** Removes an account that was only invited. */
  async removeInvited(accountId: number): Promise<void> {
    await this.database.run(`DELETE FROM accounts WHERE id = $1 AND state = 'pending' AND password_hash IS NULL`, [accountId]);
  }

  /** True when somebody else than `accountId` administrates the company and can sign in. */
  async hasOtherAdmin(companyId: number, accountId: number, now: Date): Promise<boolean> {
    const row = await this.database.queryOne(
      `SELECT 1 FROM accounts a JOIN companies c ON c.id = a.company_id
        WHERE a.company_id = $1 AND a.id <> $2 AND a.state = 'active' AND coalesce(a.expires_at > $3, true)
          AND (a.is_company_admin OR c.owner_id = a.id) LIMIT 1`,
      [companyId, accountId, now],
    );
    return row !== null;
  }

  async setAdmin(accountId: number, isAdmin: boolean): Promise<void> {
    await this.database.run('UPDATE accounts SET is_company_admin = $2 WHERE id = $1', [accountId, isAdmin]);
  }

  /** Switches accounts off; the time of an earlier block stays. */
  async block(accountIds: readonly number[], reason: string, now: Date): Promise<void> {
    await this.database.run(
      `UPDATE accounts SET state = 'disabled', block_reason = $2, blocked_at = CASE WHEN state = 'disabled' THEN coalesce(blocked_at, $3) ELSE $3 END
        WHERE id = ANY($1::bigint[]) AND state <> 'deleted'`,
      [accountIds, reason, now],
    );
  }

  /** Switches accounts on again: one that was never confirmed waits for its mail as before, one that is being removed stays out. */
  async unblock(accountIds: readonly number[]): Promise<void> {
    await this.database.run(
      `UPDATE accounts SET state = CASE WHEN confirmed_at IS NULL THEN 'pending' ELSE 'active' END, blocked_at = NULL, block_reason = ''
        WHERE id = ANY($1::bigint[]) AND state = 'disabled' AND removing_since IS NULL`,
      [accountIds],
    );
  }

  async setPolicies(accountId: number, change: MemberPolicies): Promise<void> {
    await this.policies.change('accounts', accountId, change);
  }

  /** Null = no end. */
  async setExpiry(accountId: number, expiresAt: Date | null): Promise<void> {
    await this.database.run('UPDATE accounts SET expires_at = $2 WHERE id = $1', [accountId, expiresAt]);
  }

  /** Addresses and languages of those who administrate the company and can be reached. */
  adminAddresses(companyId: number, limit: number): Promise<{ email: string; lang: string }[]> {
    return this.database.query(
      `SELECT l.value AS email, a.lang
         FROM accounts a JOIN companies c ON c.id = a.company_id
         JOIN LATERAL (SELECT value FROM logins WHERE account_id = a.id AND kind = 'email' AND confirmed_at IS NOT NULL ORDER BY created_at, id LIMIT 1) l ON true
        WHERE a.company_id = $1 AND a.state = 'active' AND (a.is_company_admin OR c.owner_id = a.id) ORDER BY a.id LIMIT $2`,
      [companyId, limit],
    );
  }
}
