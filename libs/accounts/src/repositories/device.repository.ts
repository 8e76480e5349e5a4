import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface Device {
  readonly accountId: number;
  readonly permanent: boolean;
}

/** What remote wiping reads and writes of tokens. */
@Injectable()
export class DeviceRepository {
  constructor(private readonly database: Database) {}

  find(tokenId: string): Promise<Device | null> {
    return this.database.queryOne<Device & Record<string, unknown>>('SELECT account_id AS "accountId", permanent FROM auth_tokens WHERE id = $1', [
      tokenId,
    ]);
  }

  /** The same, kept from other changes until the transaction ends. */
  lock(tokenId: string): Promise<Device | null> {
    return this.database.queryOne<Device & Record<string, unknown>>(
      'SELECT account_id AS "accountId", permanent FROM auth_tokens WHERE id = $1 FOR UPDATE',
      [tokenId],
    );
  }

  /** Orders the wiping of one device of the accounts, or of all; one that was ordered before goes on. */
  async mark(accountIds: readonly number[], tokenId: string | null): Promise<void> {
    await this.database.run(
      `UPDATE auth_tokens SET remote_wipe = true WHERE account_id = ANY($1::bigint[]) AND permanent AND NOT remote_wipe AND ($2::text IS NULL OR id = $2)`,
      [accountIds, tokenId],
    );
  }

  /** Takes the order back; false when there is none, or the device is wiped. */
  async unmark(tokenId: string): Promise<boolean> {
    const changed = await this.database.run(
      'UPDATE auth_tokens SET remote_wipe = false, wipe_delivered_at = NULL WHERE id = $1 AND remote_wipe AND wiped_at IS NULL',
      [tokenId],
    );
    return changed > 0;
  }

  /** The device was told. */
  async deliver(tokenId: string, now: Date): Promise<void> {
    await this.database.run('UPDATE auth_tokens SET wipe_delivered_at = $2 WHERE id = $1 AND remote_wipe AND wipe_delivered_at IS NULL', [
      tokenId,
      now,
    ]);
  }

  /** The device is wiped; keeps the time of the first word of it. False when there is no such order. */
  async confirm(tokenId: string, now: Date): Promise<boolean> {
    const changed = await this.database.run(
      'UPDATE auth_tokens SET wiped_at = coalesce(wiped_at, $2), wipe_delivered_at = coalesce(wipe_delivered_at, $2) WHERE id = $1 AND remote_wipe',
      [tokenId, now],
    );
    return changed > 0;
  }

  /** Ends the tokens of the accounts but those of devices that are to be wiped, those by which others act as them, and secrets that let in. */
  async endAccess(accountIds: readonly number[]): Promise<void> {
    await this.database.run(
      'DELETE FROM auth_tokens WHERE (account_id = ANY($1::bigint[]) AND NOT remote_wipe) OR effective_account_id = ANY($1::bigint[])',
      [accountIds],
    );
    await this.database.run(
      `DELETE FROM account_secrets WHERE account_id = ANY($1::bigint[]) AND purpose IN ('recover', 'login_key', 'oauth_verifier')`,
      [accountIds],
    );
  }
}
