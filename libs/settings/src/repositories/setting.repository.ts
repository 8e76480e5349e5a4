import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Settings that differ from their defaults. */
@Injectable()
export class SettingRepository {
  constructor(private readonly database: Database) {}

  list(): Promise<{ name: string; value: unknown }[]> {
    return this.database.query('SELECT name, value FROM settings');
  }

  async set(name: string, value: boolean, by: number, now: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO settings (name, value, updated_at, updated_by) VALUES ($1, to_jsonb($2::boolean), $3, $4)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
      [name, value, now, by],
    );
  }
}
