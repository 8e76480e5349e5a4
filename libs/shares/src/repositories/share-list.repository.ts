import { Injectable } from '@nestjs/common';

import type { InvitationState } from '#libs/access';
import { Database } from '#libs/database';
import { MAX_DEPTH } from '#libs/nodes';

/** One person invited to a folder or to one above it. */
export interface CollaboratorRow {
  readonly accountId: number;
  readonly state: InvitationState;
  readonly write: boolean;
  /** Through a group, or through a folder above. */
  readonly indirect: boolean;
}

/** An invitation that waits for its person's answer. */
export interface PendingRow {
  readonly hash: string;
  readonly write: boolean;
  readonly folderName: string;
  readonly ownerId: number;
  readonly message: string;
}

export type Whose = 'my' | 'others' | 'company' | 'all';

/** Lists of shares and of the people in them, each one statement. */
@Injectable()
export class ShareListRepository {
  constructor(private readonly database: Database) {}

  /** Everybody invited to the folder or to one above it, whatever he answered; one row for each way. */
  async collaborators(nodeId: string): Promise<CollaboratorRow[]> {
    return this.database.query<CollaboratorRow & Record<string, unknown>>(
      `WITH RECURSIVE up AS (
         SELECT n.id, n.parent_id, 0 AS depth FROM nodes n WHERE n.id = $1
         UNION ALL
         SELECT p.id, p.parent_id, u.depth + 1 FROM up u JOIN nodes p ON p.id = u.parent_id WHERE u.depth < ${MAX_DEPTH}
       )
       SELECT i.account_id AS "accountId", i.state, g.can_write AS write, (u.depth > 0 OR g.group_id IS NOT NULL) AS indirect
         FROM up u JOIN grants g ON g.node_id = u.id JOIN invitations i ON i.grant_id = g.id JOIN accounts a ON a.id = i.account_id AND a.state <> 'deleted'
        WHERE g.group_id IS NULL OR EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = g.group_id AND m.account_id = i.account_id)
        ORDER BY i.created_at, i.account_id`,
      [nodeId],
    );
  }

  /** Ids of shared folders in place: the account's own, those mounted in its home, those of its company that it can see, or all of these. */
  async folders(accountId: number, whose: Whose, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `WITH own AS (
         SELECT n.id, n.name_key FROM spaces s JOIN nodes n ON n.space_id = s.id AND n.shared
          WHERE s.account_id = $1 AND s.kind = 'account' AND node_is_live(n.id)
       ), others AS (
         SELECT m.mount_of AS id, m.name_key FROM spaces s JOIN nodes m ON m.space_id = s.id AND m.mount_of IS NOT NULL
          WHERE s.account_id = $1 AND s.kind = 'account' AND node_is_live(m.mount_of) AND node_is_live(m.parent_id)
       ), everything AS (SELECT *, 'my' AS whose FROM own UNION ALL SELECT *, 'others' FROM others)
       SELECT e.id FROM everything e
        WHERE CASE $2 WHEN 'all' THEN true
                      WHEN 'company' THEN EXISTS (
                        SELECT 1 FROM shares h JOIN nodes n ON n.id = h.node_id JOIN spaces s ON s.id = n.space_id JOIN accounts o ON o.id = s.account_id
                          JOIN accounts me ON me.id = $1 WHERE h.node_id = e.id AND h.folder_hash IS NOT NULL AND o.company_id = me.company_id)
                      ELSE e.whose = $2 END
        ORDER BY e.whose, e.name_key, e.id LIMIT $3`,
      [accountId, whose, limit],
    );
    return rows.map((row) => row.id);
  }

  /** Invitations that wait for the account, to folders that are in place, newest first. */
  async pending(accountId: number, limit: number): Promise<PendingRow[]> {
    return this.database.query<PendingRow & Record<string, unknown>>(
      `SELECT i.hash, g.can_write AS write, n.name AS "folderName", s.account_id AS "ownerId", i.message
         FROM invitations i JOIN grants g ON g.id = i.grant_id JOIN nodes n ON n.id = g.node_id JOIN spaces s ON s.id = n.space_id
        WHERE i.account_id = $1 AND i.state = 'waiting' AND node_is_live(n.id)
          AND (g.group_id IS NULL OR EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = g.group_id AND m.account_id = i.account_id))
        ORDER BY i.created_at DESC, i.id DESC LIMIT $2`,
      [accountId, limit],
    );
  }
}
