import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { ServiceKey, ServiceKeyKind } from '../service-key.js';

/** What of a key never changes as long as it is one. */
export interface KeyHolder {
  readonly id: string;
  readonly tokenId: string;
  readonly accountId: number;
  readonly scope: readonly string[] | null;
}

export interface NewKeyRow extends KeyHolder {
  readonly kind: ServiceKeyKind;
  readonly name: string;
  readonly publicId: string | null;
  readonly secretHash: string | null;
  readonly hint: string;
  readonly createdAt: Date;
}

const HOLDER = 'k.id, k.token_id AS "tokenId", k.account_id AS "accountId", k.scope';

/** Rows of `service_keys`. A key lives as long as its token, and not on when that is a device to be wiped. */
@Injectable()
export class ServiceKeyRepository {
  constructor(private readonly database: Database) {}

  /** Keeps others from counting and adding keys of the account until the transaction ends. */
  lock(accountId: number): Promise<void> {
    return this.database.lock(`service-keys:${accountId}`);
  }

  async count(accountId: number, kind: ServiceKeyKind): Promise<number> {
    const row = await this.database.queryOne<{ count: number }>(
      'SELECT count(*)::int AS count FROM service_keys k JOIN auth_tokens t ON t.id = k.token_id WHERE k.account_id = $1 AND k.kind = $2 AND NOT t.remote_wipe',
      [accountId, kind],
    );
    return row?.count ?? 0;
  }

  async insert(row: NewKeyRow): Promise<void> {
    await this.database.run(
      `INSERT INTO service_keys (id, token_id, account_id, kind, name, public_id, secret_hash, secret_hint, scope, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [row.id, row.tokenId, row.accountId, row.kind, row.name, row.publicId, row.secretHash, row.hint, row.scope, row.createdAt],
    );
  }

  /** Keys of an account, oldest first. */
  list(accountId: number, kind: ServiceKeyKind): Promise<ServiceKey[]> {
    return this.database.query<ServiceKey & Record<string, unknown>>(
      `SELECT k.id, k.kind, k.name, k.public_id AS "publicId", k.secret_hint AS hint, k.scope,
              floor(extract(epoch FROM k.created_at) * 1000)::float8 AS "createdMs",
              CASE WHEN t.last_used_at > t.created_at THEN floor(extract(epoch FROM t.last_used_at) * 1000)::float8 END AS "lastUsedMs"
         FROM service_keys k JOIN auth_tokens t ON t.id = k.token_id
        WHERE k.account_id = $1 AND k.kind = $2 AND NOT t.remote_wipe ORDER BY k.created_at, k.id`,
      [accountId, kind],
    );
  }

  find(accountId: number, kind: ServiceKeyKind, id: string): Promise<KeyHolder | null> {
    return this.database.queryOne<KeyHolder & Record<string, unknown>>(
      `SELECT ${HOLDER} FROM service_keys k WHERE k.account_id = $1 AND k.kind = $2 AND k.id = $3 FOR UPDATE`,
      [accountId, kind, id],
    );
  }

  bySecret(kind: ServiceKeyKind, secretSha256: Buffer): Promise<KeyHolder | null> {
    return this.database.queryOne<KeyHolder & Record<string, unknown>>(
      `SELECT ${HOLDER} FROM auth_tokens t JOIN service_keys k ON k.token_id = t.id WHERE t.secret_sha256 = $2 AND k.kind = $1`,
      [kind, secretSha256],
    );
  }

  byPublicId(kind: ServiceKeyKind, publicId: string): Promise<(KeyHolder & { readonly secretHash: string | null }) | null> {
    return this.database.queryOne<KeyHolder & { secretHash: string | null } & Record<string, unknown>>(
      `SELECT ${HOLDER}, k.secret_hash AS "secretHash" FROM service_keys k WHERE k.public_id = $2 AND k.kind = $1`,
      [kind, publicId],
    );
  }
}
