import { Injectable } from '@nestjs/common';
import { In, IsNull } from 'typeorm';

import { Database } from '#libs/database';
import { type AccountRole, CLOSED_POLICY, type Policy } from '#libs/kernel';

import { LoginEntity } from '../entities/logins.entity.js';
import type { LoginKind, LoginName } from '../login-name.js';
import { type OwnPolicies, ownPolicies } from './own-policies.repository.js';

export type AccountState = 'pending' | 'active' | 'disabled' | 'deleted';

/** An account without its secrets. Times are ms since the epoch. */
export interface AccountRecord extends OwnPolicies {
  readonly id: number;
  readonly companyId: number | null;
  readonly companyName: string;
  readonly companyDomain: string;
  /** The company lets nobody in, and the account is no administrator of the system. */
  readonly companyClosed: boolean;
  readonly role: AccountRole;
  readonly isCompanyAdmin: boolean;
  readonly state: AccountState;
  /** Kept out until his removing from the company is confirmed or cancelled. */
  readonly isRemoving: boolean;
  readonly name: string;
  readonly lang: string;
  readonly timezone: string;
  readonly region: string;
  readonly extraInfo: Readonly<Record<string, unknown>>;
  readonly needPasswordChange: boolean;
  readonly userAgreement: boolean;
  readonly expiresMs: number | null;
  readonly lastLoginMs: number | null;
  readonly lastLoginIp: string | null;
  readonly lastActivityMs: number | null;
  readonly createdMs: number;
  readonly confirmedMs: number | null;
  readonly deletedMs: number | null;
  /** Those it is in, by name. */
  readonly groups: readonly { readonly id: number; readonly name: string }[];
}

export interface LoginRecord {
  readonly id: string;
  readonly accountId: number;
  readonly kind: LoginKind;
  readonly value: string;
  readonly valueKey: string;
  readonly confirmedMs: number | null;
}

/** What a password is compared with. `secretHash` is the pair's own secret for `basic`, else the account's password. */
export interface CredentialRecord {
  readonly loginId: string;
  readonly loginKind: LoginKind;
  readonly accountId: number;
  readonly secretHash: string | null;
  readonly loginConfirmed: boolean;
  readonly companyId: number | null;
  readonly role: AccountRole;
  readonly state: AccountState;
  readonly expiresMs: number | null;
  /** How often an administrator ended a lock of the account. */
  readonly unlocks: number;
  /** The password alone is not enough; never for a pair made for one program. */
  readonly hasSecondFactor: boolean;
  readonly policy: Policy;
  /** When the account's password, if it is that which was looked up, is too old for the company; ms since the epoch, null = never. */
  readonly passwordEndsMs: number | null;
}

/** The columns a new account may set; everything else has the schema's default. */
export interface NewAccount {
  readonly name: string;
  readonly lang: string;
  readonly passwordHash: string | null;
  readonly state: AccountState;
  readonly companyId: number | null;
  readonly role?: AccountRole;
  readonly isCompanyAdmin?: boolean;
  readonly userAgreement?: boolean;
  readonly marketingAgreement?: boolean;
  readonly canPrint?: boolean;
  readonly canDownload?: boolean;
  readonly canUpload?: boolean;
  readonly pcCanDownload?: boolean;
  readonly useWatermarks?: boolean;
  readonly mobileRestriction?: boolean;
  readonly expiresMs?: number | null;
}

/** Absent fields stay as they are. */
export interface ProfileChange {
  readonly name?: string;
  readonly lang?: string;
  readonly timezone?: string;
  readonly extraInfo?: Readonly<Record<string, unknown>>;
}

/** How many passwords back a company that forbids it lets nobody go. */
const FORMER_KEPT = 5;

const MS = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`;

const ACCOUNT = `
  a.id, a.company_id AS "companyId", coalesce(c.name, '') AS "companyName", coalesce(c.domain, '') AS "companyDomain",
  a.role <> 'admin' AND coalesce(c.status IN ('inactive', 'denied', 'removing'), false) AS "companyClosed", a.role,
  a.is_company_admin AS "isCompanyAdmin", a.state, a.removing_since IS NOT NULL AS "isRemoving", a.name, a.lang, a.timezone, a.region, a.extra_info AS "extraInfo",
  a.need_password_change AS "needPasswordChange", a.user_agreement AS "userAgreement", ${ownPolicies('a')},
  floor(${MS('a.expires_at')}) AS "expiresMs", floor(${MS('a.last_login_at')}) AS "lastLoginMs", a.last_login_ip AS "lastLoginIp",
  floor(${MS('a.last_activity_at')}) AS "lastActivityMs", floor(${MS('a.created_at')}) AS "createdMs",
  floor(${MS('a.confirmed_at')}) AS "confirmedMs", floor(${MS('a.deleted_at')}) AS "deletedMs",
  (SELECT coalesce(json_agg(json_build_object('id', g.id, 'name', g.name) ORDER BY g.name_key, g.id), '[]')
     FROM group_members m JOIN groups g ON g.id = m.group_id WHERE m.account_id = a.id) AS groups`;

const LOGIN = `l.id, l.account_id AS "accountId", l.kind, l.value, l.value_key AS "valueKey", floor(${MS('l.confirmed_at')}) AS "confirmedMs"`;

/** Accounts and the logins that lead to them. */
@Injectable()
export class AccountRepository {
  constructor(private readonly database: Database) {}

  find(id: number): Promise<AccountRecord | null> {
    return this.database.queryOne<AccountRecord & Record<string, unknown>>(
      `SELECT ${ACCOUNT} FROM accounts a LEFT JOIN companies c ON c.id = a.company_id WHERE a.id = $1`,
      [id],
    );
  }

  /** The accounts of these ids in their order, in one statement; unknown ids are absent. */
  findMany(ids: readonly number[]): Promise<AccountRecord[]> {
    return this.database.query<AccountRecord & Record<string, unknown>>(
      `SELECT ${ACCOUNT} FROM unnest($1::bigint[]) WITH ORDINALITY AS w (id, turn) JOIN accounts a ON a.id = w.id LEFT JOIN companies c ON c.id = a.company_id
        ORDER BY w.turn`,
      [ids],
    );
  }

  /** Keeps the account's row from other changes until the transaction ends; false when there is no such account. */
  async lock(id: number): Promise<boolean> {
    return (await this.database.queryOne('SELECT 1 FROM accounts WHERE id = $1 FOR NO KEY UPDATE', [id])) !== null;
  }

  /** Name, language and first login of each account, in one statement. */
  listPeople(ids: readonly number[]): Promise<{ id: number; name: string; lang: string; login: string }[]> {
    return this.database.query(
      `SELECT a.id, a.name, a.lang, coalesce(l.login, 'userid:' || a.id) AS login
         FROM accounts a
         LEFT JOIN LATERAL (
           SELECT kind || ':' || value AS login FROM logins WHERE account_id = a.id AND kind IN ('email', 'msisdn', 'ldap')
            ORDER BY confirmed_at NULLS LAST, created_at, id LIMIT 1) l ON true
        WHERE a.id = ANY($1::bigint[])`,
      [ids],
    );
  }

  async insert(account: NewAccount, now: Date): Promise<number> {
    const row = await this.database.queryOne<{ id: number }>(
      `INSERT INTO accounts (name, lang, password_hash, state, company_id, role, is_company_admin, user_agreement, marketing_agreement, can_print,
                             can_download, pc_can_download, use_watermarks, mobile_restriction, expires_at, created_at, confirmed_at, password_changed_at, can_upload)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::timestamptz,
               CASE WHEN $4 = 'active' THEN $16::timestamptz END, CASE WHEN $3::text IS NOT NULL THEN $16::timestamptz END, $17)
       RETURNING id`,
      [
        account.name,
        account.lang,
        account.passwordHash,
        account.state,
        account.companyId,
        account.role ?? 'user',
        account.isCompanyAdmin ?? false,
        account.userAgreement ?? false,
        account.marketingAgreement ?? false,
        account.canPrint ?? true,
        account.canDownload ?? true,
        account.pcCanDownload ?? true,
        account.useWatermarks ?? false,
        account.mobileRestriction ?? false,
        typeof account.expiresMs === 'number' ? new Date(account.expiresMs) : null,
        now,
        account.canUpload ?? true,
      ],
    );
    return row!.id;
  }

  async updateProfile(id: number, change: ProfileChange): Promise<void> {
    await this.database.run(
      `UPDATE accounts SET name = coalesce($2, name), lang = coalesce($3, lang), timezone = coalesce($4, timezone), extra_info = coalesce($5::jsonb, extra_info)
        WHERE id = $1`,
      [
        id,
        change.name ?? null,
        change.lang ?? null,
        change.timezone ?? null,
        change.extraInfo === undefined ? null : JSON.stringify(change.extraInfo),
      ],
    );
  }

  async setCompany(id: number, companyId: number, isCompanyAdmin: boolean): Promise<void> {
    await this.database.run('UPDATE accounts SET company_id = $2, is_company_admin = $3 WHERE id = $1', [id, companyId, isCompanyAdmin]);
  }

  async passwordHash(id: number): Promise<string | null> {
    return (await this.database.queryOne<{ hash: string | null }>('SELECT password_hash AS hash FROM accounts WHERE id = $1', [id]))?.hash ?? null;
  }

  /** Sets the password; `mustChange` asks the person for another one at the next chance. */
  async setPassword(id: number, passwordHash: string, now: Date, mustChange = false): Promise<void> {
    await this.database.run(
      `WITH former AS (
         INSERT INTO former_passwords (account_id, password_hash, replaced_at)
         SELECT a.id, a.password_hash, $3::timestamptz FROM accounts a JOIN companies c ON c.id = a.company_id
          WHERE a.id = $1 AND a.password_hash IS NOT NULL AND NOT (c.settings ->> 'passwordReuseAllow')::boolean
       ), gone AS (
         DELETE FROM former_passwords WHERE account_id = $1
            AND id <= (SELECT id FROM former_passwords WHERE account_id = $1 ORDER BY id DESC OFFSET ${FORMER_KEPT - 1} LIMIT 1)
       )
       UPDATE accounts SET password_hash = $2, password_changed_at = $3::timestamptz, need_password_change = $4 WHERE id = $1`,
      [id, passwordHash, now, mustChange],
    );
  }

  /** Hashes of the last passwords that the account may not have again, with that of now when asked for; none where its company allows that. */
  async formerPasswords(id: number, withCurrent: boolean): Promise<string[]> {
    const rows = await this.database.query<{ hash: string }>(
      `SELECT p.hash FROM accounts a JOIN companies c ON c.id = a.company_id
        CROSS JOIN LATERAL (
          SELECT a.password_hash AS hash WHERE $2::boolean AND a.password_hash IS NOT NULL
          UNION ALL (SELECT f.password_hash FROM former_passwords f WHERE f.account_id = a.id ORDER BY f.id DESC LIMIT ${FORMER_KEPT})) p
        WHERE a.id = $1 AND NOT (c.settings ->> 'passwordReuseAllow')::boolean`,
      [id, withCurrent],
    );
    return rows.map(({ hash }) => hash);
  }

  /** Nobody can sign in by password until a new one is set. */
  async dropPassword(id: number): Promise<void> {
    await this.database.run('UPDATE accounts SET password_hash = NULL WHERE id = $1', [id]);
  }

  async requirePasswordChange(id: number): Promise<void> {
    await this.database.run('UPDATE accounts SET need_password_change = true WHERE id = $1', [id]);
  }

  /** Turns a pending account into an active one; any other state stays as it is. */
  async activate(id: number, now: Date): Promise<void> {
    await this.database.run(`UPDATE accounts SET state = 'active', confirmed_at = $2 WHERE id = $1 AND state = 'pending'`, [id, now]);
  }

  /** Notes a login and returns when and from where the one before it came, and what is allowed to the account. */
  async recordLogin(id: number, now: Date, ip: string): Promise<{ previousMs: number | null; previousIp: string | null; policy: Policy }> {
    const row = await this.database.queryOne<{ previousMs: number | null; previousIp: string | null; policy: Policy }>(
      `UPDATE accounts a SET last_login_at = $2, last_login_ip = $3, last_activity_at = $2
         FROM (SELECT id, last_login_at, last_login_ip FROM accounts WHERE id = $1 FOR NO KEY UPDATE) old
        WHERE a.id = old.id
       RETURNING floor(${MS('old.last_login_at')}) AS "previousMs", old.last_login_ip AS "previousIp",
                 (SELECT p.policy FROM effective_policies p WHERE p.account_id = a.id) AS policy`,
      [id, now, ip],
    );
    return row ?? { previousMs: null, previousIp: null, policy: CLOSED_POLICY };
  }

  async touch(ids: readonly number[], now: Date, before: Date): Promise<void> {
    await this.database.run(
      'UPDATE accounts SET last_activity_at = $2 WHERE id = ANY($1::bigint[]) AND (last_activity_at IS NULL OR last_activity_at <= $3)',
      [ids, now, before],
    );
  }

  async hasSystemAdmin(): Promise<boolean> {
    return (await this.database.queryOne(`SELECT 1 FROM accounts WHERE role = 'admin' AND state = 'active' LIMIT 1`)) !== null;
  }

  // --- logins ---

  /** What to compare a password with, for any of the given logins; the first of them that exists wins. */
  async findCredential(logins: readonly LoginName[]): Promise<CredentialRecord | null> {
    return this.database.queryOne<CredentialRecord & Record<string, unknown>>(
      `SELECT l.id AS "loginId", l.kind AS "loginKind", a.id AS "accountId",
              CASE WHEN l.kind IN ('basic', 'contacts_sync') THEN l.secret_hash ELSE a.password_hash END AS "secretHash",
              l.confirmed_at IS NOT NULL AS "loginConfirmed", a.company_id AS "companyId", a.role,
              CASE WHEN a.state = 'active' AND a.role <> 'admin' AND c.status IN ('inactive', 'denied', 'removing') THEN 'disabled' ELSE a.state END AS state, floor(${MS('a.expires_at')}) AS "expiresMs",
              a.unlocks, p.policy,
              l.kind NOT IN ('basic', 'contacts_sync')
                AND EXISTS (SELECT 1 FROM second_factors f WHERE f.account_id = a.id AND f.confirmed_at IS NOT NULL) AS "hasSecondFactor",
              CASE WHEN l.kind NOT IN ('basic', 'contacts_sync') AND a.role <> 'admin' AND (c.settings ->> 'passwordLifetime')::int > 0
                   THEN floor(${MS(`(a.password_changed_at + (c.settings ->> 'passwordLifetime')::int * interval '1 day')`)}) END AS "passwordEndsMs"
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (kind, value_key, place)
         JOIN logins l ON l.kind = wanted.kind AND l.value_key = wanted.value_key
         JOIN accounts a ON a.id = l.account_id
         JOIN effective_policies p ON p.account_id = a.id
         LEFT JOIN companies c ON c.id = a.company_id
        ORDER BY wanted.place LIMIT 1`,
      [logins.map((login) => login.kind), logins.map((login) => login.valueKey)],
    );
  }

  findLogin(login: LoginName): Promise<(LoginRecord & { state: AccountState }) | null> {
    return this.database.queryOne<LoginRecord & { state: AccountState } & Record<string, unknown>>(
      `SELECT ${LOGIN}, a.state FROM logins l JOIN accounts a ON a.id = l.account_id WHERE l.kind = $1 AND l.value_key = $2`,
      [login.kind, login.valueKey],
    );
  }

  /** All logins of an account, oldest first. */
  async listLogins(accountId: number): Promise<LoginRecord[]> {
    const rows = await this.database.entities((manager) =>
      manager.find(LoginEntity, { where: { accountId }, order: { createdAt: 'ASC', id: 'ASC' } }),
    );
    return rows.map(({ id, kind, value, valueKey, confirmedAt }) => ({
      id,
      accountId,
      kind,
      value,
      valueKey,
      confirmedMs: confirmedAt?.getTime() ?? null,
    }));
  }

  /** All logins of these accounts, oldest first. */
  listLoginsOf(accountIds: readonly number[]): Promise<LoginRecord[]> {
    return this.database.query<LoginRecord & Record<string, unknown>>(
      `SELECT ${LOGIN} FROM logins l WHERE l.account_id = ANY($1::bigint[]) ORDER BY l.created_at, l.id`,
      [accountIds],
    );
  }

  /** LOGIN_TAKEN when anybody has it. */
  async insertLogin(id: string, accountId: number, login: LoginName, now: Date, options: { confirmed: boolean; secretHash?: string }): Promise<void> {
    const { kind, value, valueKey } = login;
    const { confirmed, secretHash = null } = options;
    const row = { id, accountId, kind, value, valueKey, secretHash, confirmedAt: confirmed ? now : null, createdAt: now };
    await this.database.entities((manager) => manager.insert(LoginEntity, row));
  }

  /** Keeps the time of the first confirmation. */
  async confirmLogin(loginId: string, now: Date): Promise<void> {
    await this.database.entities((manager) => manager.update(LoginEntity, { id: loginId, confirmedAt: IsNull() }, { confirmedAt: now }));
  }

  async removeLogin(loginId: string): Promise<boolean> {
    return ((await this.database.entities((manager) => manager.delete(LoginEntity, { id: loginId }))).affected ?? 0) > 0;
  }

  /** Removes the pairs made for HTTP Basic and contact sync. */
  async removePairs(accountId: number): Promise<void> {
    await this.database.entities((manager) => manager.delete(LoginEntity, { accountId, kind: In(['basic', 'contacts_sync']) }));
  }
}
