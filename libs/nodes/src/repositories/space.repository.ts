import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface Space {
  readonly id: string;
  readonly rootId: string;
  readonly accountId: number;
  /** Grows with every change of the trash: its ETag. */
  readonly trashRevision: number;
}

/** Rows of `spaces`. */
@Injectable()
export class SpaceRepository {
  constructor(private readonly database: Database) {}

  async findHome(accountId: number): Promise<{ spaceId: string; rootId: string } | null> {
    return this.database.queryOne(`SELECT id AS "spaceId", root_id AS "rootId" FROM spaces WHERE account_id = $1 AND kind = 'account'`, [accountId]);
  }

  /** Those of the accounts that are there and were not erased. */
  async living(accountIds: readonly number[]): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>('SELECT id FROM accounts WHERE id = ANY($1::bigint[]) AND erased_at IS NULL ORDER BY id', [
      accountIds,
    ]);
    return rows.map((row) => row.id);
  }

  /** Makes the home space and its root folder; false when the account has one already, or was erased. */
  async insertHome(accountId: number, spaceId: string, rootId: string, nowMs: number): Promise<boolean> {
    const inserted = await this.database.run(
      `WITH space AS (
         INSERT INTO spaces (id, kind, account_id, root_id) SELECT $1, 'account', a.id, $2 FROM accounts a WHERE a.id = $3 AND a.erased_at IS NULL
         ON CONFLICT (account_id) WHERE kind = 'account' DO NOTHING RETURNING id, root_id
       )
       INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, created_ms, modified_ms, author_id)
       SELECT root_id, id, NULL, 'folder', '', '', $4, $4, $3 FROM space`,
      [spaceId, rootId, accountId, nowMs],
    );
    return inserted === 1;
  }

  /** Makes a space of another kind than a home, and its root folder; false when the account was erased. */
  async insert(
    kind: 'session' | 'bucket',
    accountId: number,
    { spaceId, rootId }: { spaceId: string; rootId: string },
    nowMs: number,
  ): Promise<boolean> {
    const inserted = await this.database.run(
      `WITH space AS (
         INSERT INTO spaces (id, kind, account_id, root_id) SELECT $1, $5, a.id, $2 FROM accounts a WHERE a.id = $3 AND a.erased_at IS NULL RETURNING id, root_id
       )
       INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, created_ms, modified_ms, author_id)
       SELECT root_id, id, NULL, 'folder', '', '', $4, $4, $3 FROM space`,
      [spaceId, rootId, accountId, nowMs, kind],
    );
    return inserted === 1;
  }

  /** Removes an empty space with its root folder. False while something is in it, or is on its way into it. */
  async remove(spaceId: string): Promise<boolean> {
    const busy = await this.database.queryOne(
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM nodes n JOIN spaces s ON s.id = n.space_id WHERE n.space_id = $1 AND n.id <> s.root_id)
                   OR EXISTS (SELECT 1 FROM upload_sessions WHERE space_id = $1)`,
      [spaceId],
    );
    if (busy !== null) return false;
    await this.database.run('DELETE FROM nodes WHERE space_id = $1', [spaceId]);
    await this.database.run('DELETE FROM spaces WHERE id = $1', [spaceId]);
    return true;
  }

  /** The space with this id, or null. */
  async find(spaceId: string): Promise<Space | null> {
    return this.database.queryOne(
      `SELECT id, root_id AS "rootId", account_id AS "accountId", trash_revision AS "trashRevision" FROM spaces WHERE id = $1`,
      [spaceId],
    );
  }

  async bumpTrash(spaceId: string): Promise<void> {
    await this.database.run('UPDATE spaces SET trash_revision = trash_revision + 1 WHERE id = $1', [spaceId]);
  }
}
