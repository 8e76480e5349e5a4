import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface KeyValueRow {
  readonly value: unknown;
  readonly rights: 'all' | 'user' | 'admin';
}

/** Values that administrators keep for all clients. */
@Injectable()
export class KeyValueRepository {
  constructor(private readonly database: Database) {}

  find(key: string): Promise<KeyValueRow | null> {
    return this.database.queryOne<KeyValueRow & Record<string, unknown>>('SELECT value, rights FROM key_values WHERE key = $1', [key]);
  }

  /** Absent rights stay as they are, and are `user` for a new key. */
  async put(key: string, json: string, rights: KeyValueRow['rights'] | null, by: number, now: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO key_values AS k (key, value, rights, updated_at, updated_by) VALUES ($1, $2::jsonb, coalesce($3, 'user'), $5, $4)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, rights = coalesce($3, k.rights), updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
      [key, json, rights, by, now],
    );
  }
}
