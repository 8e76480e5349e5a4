import { Injectable } from '@nestjs/common';
import { Any, IsNull } from 'typeorm';

import { Database } from '#libs/database';
import { newId, sha256 } from '#libs/kernel';

import { AccountSecretEntity } from '../entities/account-secrets.entity.js';

export type SecretPurpose = 'confirm' | 'recover' | 'invite' | 'login_key' | 'oauth_request' | 'oauth_verifier';

export interface SecretRecord {
  readonly id: string;
  readonly accountId: number | null;
  readonly purpose: SecretPurpose;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
}

/** One-time secrets that travel by mail or by a redirect. Only their SHA-256 is stored. */
@Injectable()
export class SecretRepository {
  constructor(private readonly database: Database) {}

  async insert(secret: {
    readonly value: string;
    readonly purpose: SecretPurpose;
    readonly accountId: number | null;
    readonly payload?: Readonly<Record<string, unknown>>;
    readonly now: Date;
    readonly lifeMs: number;
  }): Promise<void> {
    const { value, purpose, accountId, payload = {}, now, lifeMs } = secret;
    const id = newId(now.getTime());
    const expiresAt = new Date(now.getTime() + lifeMs);
    const row = { id, accountId, purpose, secretSha256: sha256(value), payload, createdAt: now, expiresAt };
    await this.database.entities((manager) => manager.insert(AccountSecretEntity, row));
  }

  /** The secret with this value, kept from other uses until the transaction ends; null when it never was, or has ended. */
  lock(value: string, purposes: readonly SecretPurpose[], now: Date): Promise<SecretRecord | null> {
    return this.database.queryOne<SecretRecord & Record<string, unknown>>(
      `SELECT id, account_id AS "accountId", purpose, payload, created_at AS "createdAt", expires_at AS "expiresAt", used_at AS "usedAt"
         FROM account_secrets WHERE secret_sha256 = $1 AND purpose = ANY($2::text[]) AND expires_at > $3 FOR UPDATE`,
      [sha256(value), purposes, now],
    );
  }

  /** Whose living secret this is; null when there is none, or it is nobody's. */
  async ownerOf(value: string, purpose: SecretPurpose, now: Date): Promise<number | null> {
    const row = await this.database.queryOne<{ accountId: number | null }>(
      'SELECT account_id AS "accountId" FROM account_secrets WHERE secret_sha256 = $1 AND purpose = $2 AND expires_at > $3',
      [sha256(value), purpose, now],
    );
    return row?.accountId ?? null;
  }

  /** Keeps the time of the first use. */
  async markUsed(id: string, now: Date): Promise<void> {
    await this.database.entities((manager) => manager.update(AccountSecretEntity, { id, usedAt: IsNull() }, { usedAt: now }));
  }

  /** Ends all secrets of these kinds that an account has. */
  async removeAll(accountId: number, purposes: readonly SecretPurpose[]): Promise<void> {
    await this.database.entities((manager) => manager.delete(AccountSecretEntity, { accountId, purpose: Any(purposes) }));
  }

  /** Removes up to `count` secrets that ended before `now`; how many there were. */
  removeExpired(now: Date, count: number): Promise<number> {
    return this.database.run(
      'DELETE FROM account_secrets WHERE id IN (SELECT id FROM account_secrets WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)',
      [now, count],
    );
  }
}
