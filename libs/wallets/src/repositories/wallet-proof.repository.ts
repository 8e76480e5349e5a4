import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface WalletProof {
  readonly id: string;
  readonly address: string;
  readonly expiresAt: Date;
}

/** How many ended proofs go with each new one, so that no job has to sweep them. */
const SWEPT = 20;

/** Rows of `wallet_proofs`. */
@Injectable()
export class WalletProofRepository {
  constructor(private readonly database: Database) {}

  /** False when the nonce was used before. */
  async insert({ id, address, expiresAt }: WalletProof, nonce: number, now: Date): Promise<boolean> {
    const inserted = await this.database.run(
      `WITH ended AS (
         DELETE FROM wallet_proofs WHERE id IN (SELECT id FROM wallet_proofs WHERE expires_at < $5 ORDER BY expires_at LIMIT ${SWEPT} FOR UPDATE SKIP LOCKED)
       )
       INSERT INTO wallet_proofs (id, nonce, address, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (nonce) DO NOTHING`,
      [id, nonce, address, expiresAt, now],
    );
    return inserted === 1;
  }

  /** A proof that is good at `now`. */
  find(id: string, now: Date): Promise<WalletProof | null> {
    return this.database.queryOne<WalletProof & Record<string, unknown>>(
      'SELECT id, address, expires_at AS "expiresAt" FROM wallet_proofs WHERE id = $1 AND expires_at > $2',
      [id, now],
    );
  }
}
