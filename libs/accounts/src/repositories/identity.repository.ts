import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Who an account is, for programs that name people by UUID. */
export interface Identity {
  readonly id: number;
  readonly publicId: string;
  readonly name: string;
  readonly companyId: number | null;
}

const IDENTITY = 'id, public_id AS "publicId", name, company_id AS "companyId"';

/** Accounts by their public ids. */
@Injectable()
export class IdentityRepository {
  constructor(private readonly database: Database) {}

  ofIds(ids: readonly number[]): Promise<Identity[]> {
    return this.database.query<Identity & Record<string, unknown>>(`SELECT ${IDENTITY} FROM accounts WHERE id = ANY($1::bigint[])`, [ids]);
  }

  /** Accounts that can receive something: active, or still waiting for their confirmation. */
  ofPublicIds(publicIds: readonly string[]): Promise<Identity[]> {
    return this.database.query<Identity & Record<string, unknown>>(
      `SELECT ${IDENTITY} FROM accounts WHERE public_id = ANY($1::uuid[]) AND state IN ('active', 'pending')`,
      [publicIds],
    );
  }
}
