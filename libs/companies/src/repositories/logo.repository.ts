import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Key of the object of a logo. */
export function logoKey(logoId: string): string {
  return `derived/${logoId}`;
}

/** Logos, and their objects in the ledger of derived objects: there before the first byte, for good once a company has them. */
@Injectable()
export class LogoRepository {
  constructor(private readonly database: Database) {}

  /** Notes an object that is about to be written; unless a company takes it, it is deleted after `expiresAt`. */
  async note(logoId: string, accountId: number, contentType: string, expiresAt: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO derived_objects (store_key, account_id, kind, file_name, content_type, expires_at) VALUES ($1, $2, 'logo', 'logo', $3, $4)`,
      [logoKey(logoId), accountId, contentType, expiresAt],
    );
  }

  /** Nobody will use this object. */
  async giveUp(logoId: string, now: Date): Promise<void> {
    await this.database.run('UPDATE derived_objects SET ready = false, expires_at = least(expires_at, $2) WHERE store_key = $1', [
      logoKey(logoId),
      now,
    ]);
  }

  /** Gives the company this logo in place of the one before, whose object is deleted. False when the object has expired meanwhile. In a transaction. */
  async publish(companyId: number, logoId: string, upload: string, sizeBytes: number): Promise<boolean> {
    const ready = await this.database.run(`UPDATE derived_objects SET ready = true, size_bytes = $2, expires_at = 'infinity' WHERE store_key = $1`, [
      logoKey(logoId),
      sizeBytes,
    ]);
    if (ready === 0) return false;
    await this.database.run('UPDATE companies SET logo_id = $2, logo_upload = $3 WHERE id = $1', [companyId, logoId, upload]);
    return true;
  }

  async clear(companyId: number): Promise<void> {
    await this.database.run('UPDATE companies SET logo_id = NULL, logo_upload = NULL WHERE id = $1', [companyId]);
  }

  /** The upload that the company's logo came by, or null. */
  async uploadOf(companyId: number): Promise<string | null> {
    const row = await this.database.queryOne<{ upload: string | null }>('SELECT logo_upload AS upload FROM companies WHERE id = $1', [companyId]);
    return row?.upload ?? null;
  }

  /** Whether a company has this logo now. */
  async isUsed(logoId: string): Promise<boolean> {
    return (await this.database.queryOne('SELECT 1 FROM companies WHERE logo_id = $1', [logoId])) !== null;
  }
}
