import type { Database } from '#libs/database';

/**
 * Everything that is wrong with the rows of all trees, in words; empty when all is well: one root, nothing reached twice or not at all, unique live
 * siblings, counters, quotas equal to the bytes of versions, mounts outside of shared folders, limits kept.
 */
export async function treeDefects(database: Database): Promise<string[]> {
  const rows = await database.query<{ defect: string }>(DEFECTS);
  return rows.map((row) => row.defect);
}

const DEFECTS = `
  WITH RECURSIVE reach AS (
    SELECT id, space_id, 0 AS depth FROM nodes WHERE parent_id IS NULL
    UNION ALL
    SELECT c.id, c.space_id, r.depth + 1 FROM reach r JOIN nodes c ON c.parent_id = r.id WHERE r.depth < 200
  ), way AS (
    SELECT m.name, p.id, p.parent_id, p.shared, 0 AS depth FROM nodes m JOIN nodes p ON p.id = m.parent_id WHERE m.mount_of IS NOT NULL
    UNION ALL
    SELECT w.name, p.id, p.parent_id, p.shared, w.depth + 1 FROM way w JOIN nodes p ON p.id = w.parent_id WHERE w.depth < 200
  )
  SELECT 'unreachable node ' || n.id || ' ' || n.name AS defect FROM nodes n WHERE NOT EXISTS (SELECT 1 FROM reach r WHERE r.id = n.id)
  UNION ALL SELECT 'reached twice ' || id FROM reach GROUP BY id HAVING count(*) > 1
  UNION ALL SELECT 'too deep ' || id FROM reach WHERE depth > 128
  UNION ALL SELECT 'space ' || s.id || ' has no root' FROM spaces s LEFT JOIN nodes n ON n.id = s.root_id AND n.space_id = s.id AND n.parent_id IS NULL WHERE n.id IS NULL
  UNION ALL SELECT 'two roots in ' || space_id FROM nodes WHERE parent_id IS NULL GROUP BY space_id HAVING count(*) > 1
  UNION ALL SELECT 'two live siblings ' || parent_id || ' ' || name_key FROM nodes WHERE removal IS NULL AND parent_id IS NOT NULL GROUP BY parent_id, name_key HAVING count(*) > 1
  UNION ALL SELECT 'counters of ' || p.name || ' (' || p.id || '): ' || p.child_files || '/' || p.child_folders || '/' || p.child_bytes || ' but counted '
         || count(c.id) FILTER (WHERE c.kind = 'file') || '/' || count(c.id) FILTER (WHERE c.kind = 'folder') || '/' || coalesce(sum(c.size_bytes), 0)
    FROM nodes p LEFT JOIN nodes c ON c.parent_id = p.id AND c.removal IS NULL
   WHERE p.kind = 'folder' AND p.removal IS DISTINCT FROM 'purging' GROUP BY p.id
  HAVING p.child_files <> count(c.id) FILTER (WHERE c.kind = 'file') OR p.child_folders <> count(c.id) FILTER (WHERE c.kind = 'folder')
      OR p.child_bytes <> coalesce(sum(c.size_bytes), 0)
  UNION ALL SELECT 'a file has children ' || p.id FROM nodes p JOIN nodes c ON c.parent_id = p.id WHERE p.kind = 'file'
  UNION ALL SELECT 'quota of ' || s.account_id || ': ' || q.used_bytes || ' but counted ' || coalesce(sum(v.size_bytes), 0)
    FROM spaces s JOIN quotas q ON q.owner_kind = 'account' AND q.owner_id = s.account_id LEFT JOIN versions v ON v.space_id = s.id
   GROUP BY s.account_id, q.used_bytes HAVING q.used_bytes <> coalesce(sum(v.size_bytes), 0)
  UNION ALL SELECT 'reservation left ' || owner_id FROM quotas WHERE reserved_bytes <> 0
  UNION ALL SELECT 'current version missing ' || n.id FROM nodes n WHERE n.kind = 'file'
     AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.node_id = n.id AND v.no = n.current_version_no AND v.size_bytes = n.size_bytes AND v.blob_id = n.blob_id)
  UNION ALL SELECT 'trash columns of ' || id FROM nodes WHERE (removal = 'trashed') <> (trash_name IS NOT NULL AND restore_path IS NOT NULL AND restore_key IS NOT NULL)
  UNION ALL SELECT 'version of ' || n.id || ' counts in another space' FROM versions v JOIN nodes n ON n.id = v.node_id WHERE v.space_id <> n.space_id
  UNION ALL SELECT 'a mount has children ' || m.id FROM nodes m JOIN nodes c ON c.parent_id = m.id WHERE m.mount_of IS NOT NULL
  UNION ALL SELECT 'a mount of its own space, of a mount or of a file ' || m.id FROM nodes m JOIN nodes t ON t.id = m.mount_of
     WHERE t.space_id = m.space_id OR t.mount_of IS NOT NULL OR t.kind <> 'folder'
  UNION ALL SELECT 'mount ' || w.name || ' in the shared folder ' || w.id FROM way w WHERE w.shared
  UNION ALL SELECT 'folder ' || n.id || ' holds more than its limit' FROM nodes n
     WHERE n.limit_bytes < (WITH RECURSIVE below AS (
       SELECT n.id, n.child_bytes UNION ALL SELECT c.id, c.child_bytes FROM below b JOIN nodes c ON c.parent_id = b.id AND c.kind = 'folder' AND c.removal IS NULL
     ) SELECT sum(child_bytes) FROM below)`;
