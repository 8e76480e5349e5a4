import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface SecondFactorRecord {
  readonly sealedSecret: string;
  readonly confirmed: boolean;
  /** Codes of the recovery list that are still good. */
  readonly recoveryCodes: number;
}

/** Second factors of accounts, and their recovery codes. */
@Injectable()
export class SecondFactorRepository {
  constructor(private readonly database: Database) {}

  find(accountId: number): Promise<SecondFactorRecord | null> {
    return this.database.queryOne<SecondFactorRecord & Record<string, unknown>>(
      `SELECT sealed_secret AS "sealedSecret", confirmed_at IS NOT NULL AS confirmed,
              (SELECT count(*) FROM recovery_codes r WHERE r.account_id = f.account_id AND r.used_at IS NULL) AS "recoveryCodes"
         FROM second_factors f WHERE f.account_id = $1`,
      [accountId],
    );
  }

  /** Keeps a secret that has yet to be confirmed, in place of an earlier such one. False when the account has a confirmed one. */
  async propose(accountId: number, sealedSecret: string, now: Date): Promise<boolean> {
    const changed = await this.database.run(
      `INSERT INTO second_factors AS f (account_id, sealed_secret, created_at) VALUES ($1, $2, $3)
       ON CONFLICT (account_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, created_at = excluded.created_at, last_step = 0
        WHERE f.confirmed_at IS NULL`,
      [accountId, sealedSecret, now],
    );
    return changed > 0;
  }

  /** Confirms the proposed secret by the code of `step`. False when it is another one by now, or confirmed already. */
  async confirm(accountId: number, sealedSecret: string, step: number, now: Date): Promise<boolean> {
    const changed = await this.database.run(
      'UPDATE second_factors SET confirmed_at = $4, last_step = $3 WHERE account_id = $1 AND sealed_secret = $2 AND confirmed_at IS NULL',
      [accountId, sealedSecret, step, now],
    );
    return changed > 0;
  }

  /** Uses the code of a time step up; false when it, or that of a later step, was used before. */
  async useStep(accountId: number, step: number): Promise<boolean> {
    const changed = await this.database.run(
      'UPDATE second_factors SET last_step = $2 WHERE account_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2',
      [accountId, step],
    );
    return changed > 0;
  }

  /** Uses a recovery code up; false when there is no such code, or it was used before. */
  async useRecoveryCode(accountId: number, codeHash: Buffer, now: Date): Promise<boolean> {
    const changed = await this.database.run('UPDATE recovery_codes SET used_at = $3 WHERE account_id = $1 AND code_hash = $2 AND used_at IS NULL', [
      accountId,
      codeHash,
      now,
    ]);
    return changed > 0;
  }

  /** Replaces all recovery codes of an account that has a second factor. */
  async replaceRecoveryCodes(accountId: number, codeHashes: readonly Buffer[]): Promise<void> {
    await this.database.run('DELETE FROM recovery_codes WHERE account_id = $1', [accountId]);
    await this.database.run('INSERT INTO recovery_codes (account_id, code_hash) SELECT $1, unnest($2::bytea[])', [accountId, codeHashes]);
  }

  /** False when there was none. */
  async remove(accountId: number): Promise<boolean> {
    return (await this.database.run('DELETE FROM second_factors WHERE account_id = $1', [accountId])) > 0;
  }
}
