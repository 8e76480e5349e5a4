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
      `SELECT f.sealed_secret AS "sealedSecret", f.confirmed_at IS NOT NULL AS confirmed,
              (SELECT count(*) FROM recovery_codes r WHERE r.account_id = f.account_id AND NOT r.code_hash = ANY (u.recovery_used)) AS "recoveryCodes"
         FROM second_factors f JOIN second_factor_uses u ON u.account_id = f.account_id WHERE f.account_id = $1`,
      [accountId],
    );
  }

  /** Keeps a secret that has yet to be confirmed, in place of an earlier such one; in a transaction. False when the account has a confirmed one. */
  async propose(accountId: number, sealedSecret: string, now: Date): Promise<boolean> {
    const changed = await this.database.run(
      `INSERT INTO second_factors AS f (account_id, sealed_secret, created_at) VALUES ($1, $2, $3)
       ON CONFLICT (account_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, created_at = excluded.created_at WHERE f.confirmed_at IS NULL`,
      [accountId, sealedSecret, now],
    );
    if (changed > 0) await this.database.run('INSERT INTO second_factor_uses (account_id) VALUES ($1) ON CONFLICT DO NOTHING', [accountId]);
    return changed > 0;
  }

  /** Confirms the proposed secret by the code of `step`; in a transaction. False when it is another one by now, or confirmed already. */
  async confirm(accountId: number, sealedSecret: string, step: number, now: Date): Promise<boolean> {
    const changed = await this.database.run(
      'UPDATE second_factors SET confirmed_at = $3 WHERE account_id = $1 AND sealed_secret = $2 AND confirmed_at IS NULL',
      [accountId, sealedSecret, now],
    );
    if (changed > 0) await this.database.run('UPDATE second_factor_uses SET last_step = $2 WHERE account_id = $1', [accountId, step]);
    return changed > 0;
  }

  /** Uses the code of a time step up; false when it, or that of a later step, was used before. */
  async useStep(accountId: number, step: number): Promise<boolean> {
    return (await this.database.run('UPDATE second_factor_uses SET last_step = $2 WHERE account_id = $1 AND last_step < $2', [accountId, step])) > 0;
  }

  /** Uses a recovery code up; false when there is no such code, or it was used before. */
  async useRecoveryCode(accountId: number, codeHash: Buffer): Promise<boolean> {
    const changed = await this.database.run(
      `UPDATE second_factor_uses SET recovery_used = recovery_used || $2::bytea
        WHERE account_id = $1 AND NOT $2::bytea = ANY (recovery_used)
          AND EXISTS (SELECT 1 FROM recovery_codes WHERE account_id = $1 AND code_hash = $2::bytea)`,
      [accountId, codeHash],
    );
    return changed > 0;
  }

  /** Replaces all recovery codes of an account that has a second factor; in a transaction. */
  async replaceRecoveryCodes(accountId: number, codeHashes: readonly Buffer[]): Promise<void> {
    await this.database.run(`UPDATE second_factor_uses SET recovery_used = '{}' WHERE account_id = $1`, [accountId]);
    await this.database.run('DELETE FROM recovery_codes WHERE account_id = $1', [accountId]);
    await this.database.run('INSERT INTO recovery_codes (account_id, code_hash) SELECT $1, unnest($2::bytea[])', [accountId, codeHashes]);
  }

  /** False when there was none. */
  async remove(accountId: number): Promise<boolean> {
    return (await this.database.run('DELETE FROM second_factors WHERE account_id = $1', [accountId])) > 0;
  }
}
