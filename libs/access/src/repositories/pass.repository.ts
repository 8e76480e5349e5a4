import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { ACCEPTED, WAYS_UP } from './chain-sql.js';

/** What a pass opens on one node. */
export interface PassRow {
  readonly id: string;
  readonly rights: 'download' | 'upload';
}

/** A pass that opens a node, for `explain`. */
export interface OpenPass {
  readonly pass: 'link' | 'share';
  readonly passId: string;
  readonly nodeId: string;
  readonly issuerId: number;
  readonly rights: 'download' | 'upload';
}

const LINK = `SELECT 'link' AS pass, l.id AS pass_id, l.node_id, l.issuer_id, l.rights FROM links l
               WHERE l.blocked_at IS NULL AND (l.expires_at IS NULL OR l.expires_at > $2)`;
const SHARE = `SELECT 'share' AS pass, s.node_id AS pass_id, s.node_id, s.shared_by AS issuer_id, 'download' AS rights FROM shares s WHERE s.public_view`;

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
  async opened(pass: 'link' | 'share', passId: string, nodeIds: readonly string[], at: Date): Promise<PassRow[]> {
    if (nodeIds.length === 0) return [];
    const row = pass === 'link' ? `${LINK} AND l.id = $3` : `${SHARE} AND s.node_id = $3`;
    return this.database.query<PassRow>(`WITH RECURSIVE pass AS (${row}), ${WAYS_UP} ${OPENED}`, [nodeIds, at, passId]);
  }

  /** All passes that open the node at `at`. */
  async openTo(nodeId: string, at: Date): Promise<OpenPass[]> {
    return this.database.query<OpenPass & { id: string }>(`WITH RECURSIVE pass AS (${LINK} UNION ALL ${SHARE}), ${WAYS_UP} ${OPENED}`, [
      [nodeId],
      at,
    ]);
  }
}
