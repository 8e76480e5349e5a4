import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Something that does not add up within the database. */
export interface LedgerFault {
  readonly subject: string;
  readonly detail: string;
}

/** Most faults of one kind that are told. */
const LIMIT = 1000;

// Each check is one statement, so it sees one moment: changes under way cannot look like faults.
const CHECKS = {
  'version-mismatch': `
    SELECT 'version ' || v.id AS subject, format('%s bytes, md5 %s; its object %s bytes, md5 %s', v.size_bytes, v.md5, b.size_bytes, b.md5) AS detail
      FROM versions v JOIN blobs b ON b.id = v.blob_id WHERE v.size_bytes <> b.size_bytes OR v.md5 <> b.md5 LIMIT ${LIMIT}`,
  'file-mismatch': `
    SELECT 'node ' || n.id AS subject, CASE WHEN v.no IS NULL THEN format('its current version %s is missing', n.current_version_no)
                                            ELSE format('%s bytes; its version %s has %s', n.size_bytes, v.no, v.size_bytes) END AS detail
      FROM nodes n LEFT JOIN versions v ON v.node_id = n.id AND v.no = n.current_version_no
     WHERE n.kind = 'file' AND (v.no IS NULL OR v.blob_id <> n.blob_id OR v.size_bytes <> n.size_bytes OR v.md5 IS DISTINCT FROM n.md5) LIMIT ${LIMIT}`,
  'unused-object': `
    SELECT b.store_key AS subject, format('%s bytes that no version uses and nothing will collect', b.size_bytes) AS detail FROM blobs b
     WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.blob_id = b.id) AND NOT EXISTS (SELECT 1 FROM blob_candidates c WHERE c.blob_id = b.id) LIMIT ${LIMIT}`,
  'folder-count': `
    SELECT 'node ' || f.id AS subject, format('says %s files, %s folders, %s bytes; holds %s, %s, %s', f.child_files, f.child_folders, f.child_bytes,
                                              coalesce(c.files, 0), coalesce(c.folders, 0), coalesce(c.bytes, 0)) AS detail
      FROM nodes f
      LEFT JOIN (SELECT parent_id, count(*) FILTER (WHERE kind = 'file') AS files, count(*) FILTER (WHERE kind = 'folder') AS folders,
                        coalesce(sum(size_bytes) FILTER (WHERE kind = 'file'), 0) AS bytes
                   FROM nodes WHERE removal IS NULL GROUP BY parent_id) c ON c.parent_id = f.id
     WHERE f.kind = 'folder' AND f.removal IS DISTINCT FROM 'purging' AND f.removal IS DISTINCT FROM 'staged'
       AND (f.child_files, f.child_folders, f.child_bytes) IS DISTINCT FROM (coalesce(c.files, 0), coalesce(c.folders, 0), coalesce(c.bytes, 0)::bigint)
       AND NOT EXISTS (SELECT 1 FROM nodes busy WHERE busy.space_id = f.space_id AND busy.removal IN ('purging', 'staged')) LIMIT ${LIMIT}`,
  // A copy that is being made holds a reservation of its own and has versions that do not count yet: such accounts are left out.
  'quota-use': `
    SELECT 'account ' || q.owner_id AS subject, format('%s bytes used; its versions have %s', q.used_bytes, coalesce(u.bytes, 0)) AS detail
      FROM quotas q
      LEFT JOIN (SELECT s.account_id, sum(v.size_bytes) AS bytes FROM versions v JOIN spaces s ON s.id = v.space_id GROUP BY s.account_id) u ON u.account_id = q.owner_id
     WHERE q.owner_kind = 'account' AND q.used_bytes <> coalesce(u.bytes, 0)
       AND NOT EXISTS (SELECT 1 FROM spaces s JOIN nodes n ON n.space_id = s.id AND n.removal = 'staged' WHERE s.account_id = q.owner_id) LIMIT ${LIMIT}`,
  'quota-reserve': `
    SELECT 'account ' || q.owner_id AS subject, format('%s bytes reserved; its uploads hold %s', q.reserved_bytes, coalesce(u.bytes, 0)) AS detail
      FROM quotas q
      LEFT JOIN (SELECT s.account_id, sum(u.reserved_bytes) AS bytes FROM upload_sessions u JOIN spaces s ON s.id = u.space_id
                  WHERE u.state IN ('reserved', 'uploaded') GROUP BY s.account_id) u ON u.account_id = q.owner_id
     WHERE q.owner_kind = 'account' AND q.reserved_bytes <> coalesce(u.bytes, 0)
       AND NOT EXISTS (SELECT 1 FROM spaces s JOIN nodes n ON n.space_id = s.id AND n.removal = 'staged' WHERE s.account_id = q.owner_id) LIMIT ${LIMIT}`,
  'stuck-deletion': `
    SELECT store_key AS subject, format('%s tries to delete it failed: %s', attempts, coalesce(last_error, 'no reason noted')) AS detail
      FROM object_tombstones WHERE attempts >= 5 LIMIT ${LIMIT}`,
} as const;

export type LedgerCheck = keyof typeof CHECKS;
export const LEDGER_CHECKS = Object.keys(CHECKS) as LedgerCheck[];

/** Recounts what the database says about bytes against itself. Reads only. */
@Injectable()
export class LedgerAudit {
  constructor(private readonly database: Database) {}

  /** Faults of one kind, at most a thousand. */
  async run(check: LedgerCheck): Promise<LedgerFault[]> {
    return this.database.query<LedgerFault & { subject: string }>(CHECKS[check]);
  }
}
