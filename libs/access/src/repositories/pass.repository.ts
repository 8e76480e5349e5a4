import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import type { PassKind } from '#libs/kernel';

import { ACCEPTED, WAYS_UP } from './chain-sql.js';

/** What a pass opens on one node. */
export interface PassRow {
  readonly id: string;
  readonly rights: 'download' | 'upload';
}

/** A pass that opens a node, for `explain`. */
export interface OpenPass {
  readonly pass: PassKind;
  readonly passId: string;
  readonly nodeId: string;
  readonly issuerId: number;
  readonly rights: 'download' | 'upload';
}

const LINK = `SELECT 'link' AS pass, l.id AS pass_id, l.node_id, l.issuer_id, l.rights FROM links l
               WHERE l.blocked_at IS NULL AND (l.expires_at IS NULL OR l.expires_at > $2)`;
const SHARE = `SELECT 'share' AS pass, s.node_id AS pass_id, s.node_id, s.shared_by AS issuer_id, 'download' AS rights FROM shares s WHERE s.public_view`;
// What an accepted complaint names is given out by nobody.
const KEY = `SELECT 'key' AS pass, k.id AS pass_id, k.node_id, k.issuer_id, 'download' AS rights FROM file_keys k
              WHERE k.expires_at > $2 AND NOT EXISTS (
                SELECT 1 FROM complaint_links named JOIN complaints c ON c.id = named.complaint_id AND c.status = 'accepted' WHERE named.node_id = k.node_id)`;
const PUBLIC = `SELECT 'public' AS pass, f.node_id AS pass_id, f.node_id, sp.account_id AS issuer_id, 'download' AS rights
                  FROM bucket_files f JOIN nodes fn ON fn.id = f.node_id JOIN spaces sp ON sp.id = fn.space_id AND sp.kind = 'bucket'
                 WHERE f.public AND NOT EXISTS (
                   SELECT 1 FROM complaint_links named JOIN complaints c ON c.id = named.complaint_id AND c.status = 'accepted' WHERE named.node_id = f.node_id)`;
const OF: Readonly<Record<PassKind, string>> = {
  link: `${LINK} AND l.id = $3`,
  share: `${SHARE} AND s.node_id = $3`,
  key: `${KEY} AND k.id = $3`,
  public: `${PUBLIC} AND f.node_id = $3`,
};

/**
 * The passes that open nodes now: their row is good, everything on the way is in place, and whoever gave it still works and may what it gives.
 * All that was handed out on a pass (tokens, streams, links in pages) is judged by this, so nothing of it outlives what its issuer may.
 */
const OPENED = `
  SELECT w.start AS id, p.pass, p.pass_id AS "passId", p.node_id AS "nodeId", p.issuer_id AS "issuerId", p.rights
    FROM way w JOIN pass p ON p.node_id = w.id
    JOIN accounts a ON a.id = p.issuer_id AND a.state = 'active' AND (a.expires_at IS NULL OR a.expires_at > $2)
    JOIN effective_policies e ON e.account_id = a.id AND CASE p.rights WHEN 'upload' THEN e.can_upload ELSE e.can_download END
    LEFT JOIN companies c ON c.id = a.company_id
    JOIN spaces s ON s.id = w.space_id
   WHERE w.live AND CASE p.pass WHEN 'share' THEN e.share_outside ELSE coalesce(c.public_links_allow, true) END AND (s.account_id = p.issuer_id OR EXISTS (
     SELECT 1 FROM way o JOIN grants g ON g.node_id = o.id ${ACCEPTED} AND i.account_id = p.issuer_id
      WHERE o.start = w.start AND o.depth >= w.depth AND CASE p.rights WHEN 'upload' THEN g.can_write ELSE g.can_download END))`;

/** What is open to people without an account: public links, and shares that anyone may view. */
@Injectable()
export class PassRepository {
  constructor(private readonly database: Database) {}

  /** Which of the nodes a pass opens at `at`, in one statement. */
  async opened(pass: PassKind, passId: string, nodeIds: readonly string[], at: Date): Promise<PassRow[]> {
    if (nodeIds.length === 0) return [];
    return this.database.query<PassRow>(`WITH RECURSIVE pass AS (${OF[pass]}), ${WAYS_UP} ${OPENED}`, [nodeIds, at, passId]);
  }

  /** All passes that open the node at `at`. */
  async openTo(nodeId: string, at: Date): Promise<OpenPass[]> {
    return this.database.query<OpenPass & { id: string }>(
      `WITH RECURSIVE pass AS (${LINK} UNION ALL ${SHARE} UNION ALL ${KEY} UNION ALL ${PUBLIC}), ${WAYS_UP} ${OPENED}`,
      [[nodeId], at],
    );
  }
}
