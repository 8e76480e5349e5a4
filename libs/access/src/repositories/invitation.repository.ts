import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { newId, randomUrlSafe } from '#libs/kernel';

import type { Right } from '../right.js';

export type InvitationState = 'waiting' | 'accepted' | 'declined';

/** One person's answer to a grant, with the right that the grant gives. */
export interface Invitation extends Right {
  readonly id: string;
  readonly grantId: string;
  readonly nodeId: string;
  readonly groupId: number | null;
  readonly accountId: number;
  readonly hash: string;
  readonly state: InvitationState;
  readonly message: string;
}

/** Random bytes of a hash that opens or invites: 192 bits, 32 URL-safe characters. */
const HASH_BYTES = 24;

/** A new hash for an invitation, a share or a request. */
export function newHash(): string {
  return randomUrlSafe(HASH_BYTES);
}

const COLUMNS = `i.id, i.grant_id AS "grantId", g.node_id AS "nodeId", g.group_id AS "groupId", i.account_id AS "accountId", i.hash, i.state, i.message,
  g.can_write AS write, g.can_delete AS delete, g.can_download AS download`;
/** Whoever has left the group has no answer to give. */
const CONCERNED = `(g.group_id IS NULL OR EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = g.group_id AND m.account_id = i.account_id))`;

/** Rows of `invitations`. */
@Injectable()
export class InvitationRepository {
  constructor(private readonly database: Database) {}

  /**
   * Invites accounts by a grant; those who declined before are asked again under another hash. Who waits (unless
   * `state` answers for him) or has accepted stays as he is and is not in the answer.
   */
  async invite(grantId: string, accountIds: readonly number[], message: string, state: 'waiting' | 'accepted', at: Date): Promise<Invitation[]> {
    if (accountIds.length === 0) return [];
    return this.database.query<Invitation & Record<string, unknown>>(
      `WITH i AS (
         INSERT INTO invitations (id, grant_id, account_id, hash, state, message, created_at, answered_at)
         SELECT n.id, $1, n.account_id, n.hash, $5, $6, $7::timestamptz, CASE WHEN $5 = 'accepted' THEN $7::timestamptz END
           FROM unnest($2::uuid[], $3::bigint[], $4::text[]) AS n (id, account_id, hash)
         ON CONFLICT (grant_id, account_id) DO UPDATE
            SET hash = CASE invitations.state WHEN 'waiting' THEN invitations.hash ELSE excluded.hash END, state = excluded.state, message = excluded.message, created_at = excluded.created_at, answered_at = excluded.answered_at
          WHERE invitations.state = 'declined' OR (invitations.state = 'waiting' AND excluded.state = 'accepted')
         RETURNING *
       )
       SELECT ${COLUMNS} FROM i JOIN grants g ON g.id = i.grant_id ORDER BY i.account_id`,
      [grantId, accountIds.map(() => newId(at.getTime())), accountIds, accountIds.map(() => newHash()), state, message, at],
    );
  }

  /** The invitation behind a hash; null for an unknown one, and for one of a group that its person has left. */
  async byHash(hash: string): Promise<Invitation | null> {
    return this.database.queryOne<Invitation & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM invitations i JOIN grants g ON g.id = i.grant_id WHERE i.hash = $1 AND ${CONCERNED}`,
      [hash],
    );
  }

  /** All invitations to a folder, or those of one account. */
  async ofNode(nodeIds: readonly string[], accountId: number | null = null): Promise<Invitation[]> {
    return this.database.query<Invitation & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM grants g JOIN invitations i ON i.grant_id = g.id
        WHERE g.node_id = ANY($1::uuid[]) AND ($2::bigint IS NULL OR i.account_id = $2) AND ${CONCERNED} ORDER BY i.account_id, i.id`,
      [nodeIds, accountId],
    );
  }

  /** The unanswered invitations of an account by name, not through a group; the oldest first. */
  async waitingFor(accountId: number, limit: number): Promise<Invitation[]> {
    return this.database.query<Invitation & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM invitations i JOIN grants g ON g.id = i.grant_id
        WHERE i.account_id = $1 AND i.state = 'waiting' AND g.group_id IS NULL ORDER BY i.created_at, i.id LIMIT $2`,
      [accountId, limit],
    );
  }

  /** The unanswered invitations of accounts by these grants, whether or not they are in the group still. */
  async waitingOf(grantIds: readonly string[], accountIds: readonly number[]): Promise<Invitation[]> {
    return this.database.query<Invitation & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM invitations i JOIN grants g ON g.id = i.grant_id
        WHERE i.grant_id = ANY($1::uuid[]) AND i.account_id = ANY($2::bigint[]) AND i.state = 'waiting' ORDER BY i.account_id`,
      [grantIds, accountIds],
    );
  }

  async setState(ids: readonly string[], state: InvitationState, at: Date): Promise<void> {
    await this.database.run('UPDATE invitations SET state = $2, answered_at = $3 WHERE id = ANY($1::uuid[])', [ids, state, at]);
  }

  /** Takes the invitations of accounts to grants of their group away. */
  async removeOf(grantIds: readonly string[], accountIds: readonly number[]): Promise<void> {
    await this.database.run('DELETE FROM invitations WHERE grant_id = ANY($1::uuid[]) AND account_id = ANY($2::bigint[])', [grantIds, accountIds]);
  }
}
