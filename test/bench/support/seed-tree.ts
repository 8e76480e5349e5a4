import pg from 'pg';

/** What a seeded space holds. */
export interface SeededTree {
  readonly rootPath: string;
  readonly nodeCount: number;
}

/**
 * Fills the home space of `accountId` by SQL with a folder `name` of about `nodeCount` descendants: folders of 100 files, ten folders to a
 * folder, all pointing at one stored blob. The rows are what the application would have written (counters, versions and quota included).
 */
export async function seedTree(databaseUrl: string, accountId: number, name: string, nodeCount: number, filesPerFolder = 100): Promise<SeededTree> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    await client.query('BEGIN');
    // The tables are tiny to the planner until they are analysed; a foreign-key check planned now would read them whole a million times.
    await client.query('SET LOCAL enable_seqscan = off');
    const folders = Math.max(1, Math.ceil(nodeCount / (filesPerFolder + 1)));
    await client.query('CREATE TEMP TABLE seeded (no int PRIMARY KEY, id uuid, parent_no int) ON COMMIT DROP');
    await client.query(
      `INSERT INTO seeded SELECT i, gen_random_uuid(), CASE WHEN i = 0 THEN NULL ELSE (i - 1) / 10 END FROM generate_series(0, $1::int - 1) i`,
      [folders],
    );
    await client.query(
      `INSERT INTO blobs (id, store_key, size_bytes, md5, sha256, crc32)
       SELECT gen_random_uuid(), 'blobs/00/seed-' || $1, 10, md5($1), encode(sha256($1::bytea), 'hex'), 0 ON CONFLICT DO NOTHING`,
      [`${accountId}-${name}`],
    );
    await client.query(
      `INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, created_ms, modified_ms, author_id, child_files, child_folders, child_bytes)
       SELECT s.id, sp.id, coalesce(p.id, sp.root_id), 'folder', CASE WHEN s.no = 0 THEN $2::text ELSE 'folder ' || s.no END,
              CASE WHEN s.no = 0 THEN lower($2::text) ELSE 'folder ' || s.no END, 1700000000000, 1700000000000, $1, $3::bigint,
              (SELECT count(*) FROM seeded c WHERE c.parent_no = s.no), $3::bigint * 10
         FROM seeded s JOIN spaces sp ON sp.account_id = $1 AND sp.kind = 'account' LEFT JOIN seeded p ON p.no = s.parent_no ORDER BY s.no`,
      [accountId, name, filesPerFolder],
    );
    await client.query(
      `WITH made AS (
         INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, current_version_no, blob_id, size_bytes, md5, mime_type, created_ms, modified_ms, author_id)
         SELECT gen_random_uuid(), sp.id, s.id, 'file', 'report ' || s.no || '-' || f || '.txt', 'report ' || s.no || '-' || f || '.txt', 1, b.id, 10, b.md5, 'text/plain',
                1700000000000 + f, 1700000000000 + f, $1
           FROM seeded s CROSS JOIN generate_series(1, $3::int) f JOIN spaces sp ON sp.account_id = $1 AND sp.kind = 'account'
           JOIN blobs b ON b.store_key = 'blobs/00/seed-' || $2
         RETURNING id, space_id, blob_id, md5)
       INSERT INTO versions (node_id, no, id, space_id, blob_id, size_bytes, md5, mime_type, media, author_id)
       SELECT id, 1, gen_random_uuid(), space_id, blob_id, 10, md5, 'text/plain', 'other', $1 FROM made`,
      [accountId, `${accountId}-${name}`, filesPerFolder],
    );
    await client.query(
      `UPDATE nodes SET child_folders = child_folders + 1, revision = revision + 1
        WHERE id = (SELECT root_id FROM spaces WHERE account_id = $1 AND kind = 'account')`,
      [accountId],
    );
    await client.query(`UPDATE quotas SET used_bytes = used_bytes + $2 WHERE owner_kind = 'account' AND owner_id = $1`, [
      accountId,
      folders * filesPerFolder * 10,
    ]);
    await client.query('COMMIT');
    await client.query('ANALYZE nodes, versions, blobs');
    return { rootPath: `/${name}`, nodeCount: folders * (filesPerFolder + 1) };
  } finally {
    await client.end();
  }
}

/** Fills a folder with `count` small files directly below it (one listing of any size). */
export async function seedFlatFolder(databaseUrl: string, accountId: number, name: string, count: number): Promise<SeededTree> {
  return seedTree(databaseUrl, accountId, name, count, count);
}
