import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the statements that resolve paths ask of few nodes alone. As functions it costs the others nothing: a subquery is prepared on every run. */
export class LookupsOfFew1795302360000 implements MigrationInterface {
  name = 'LookupsOfFew1795302360000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- levels above a folder in its own space
      CREATE FUNCTION node_depth(node_id uuid) RETURNS int LANGUAGE sql STABLE AS $$
        WITH RECURSIVE up AS (
          SELECT n.parent_id, 0 AS depth FROM nodes n WHERE n.id = node_id
          UNION ALL
          SELECT p.parent_id, u.depth + 1 FROM up u JOIN nodes p ON p.id = u.parent_id WHERE u.depth < 128
        )
        SELECT max(depth) FROM up
      $$;

      -- whether a folder on a way (ids from the top), the last one left out, is offered to its owner's company
      CREATE FUNCTION way_is_published(way uuid[]) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT EXISTS (SELECT 1 FROM shares s WHERE s.node_id = ANY(way[:cardinality(way) - 1]) AND s.published_at IS NOT NULL)
      $$;

      -- what a mount shows of the shared folder that it stands for; null when that is not in place
      CREATE FUNCTION mount_target(folder_id uuid, viewer_id bigint) RETURNS json LANGUAGE sql STABLE AS $$
        SELECT json_build_object(
                 'id', t.id, 'spaceId', t.space_id, 'ownerId', s.account_id, 'authorId', t.author_id, 'revision', t.revision,
                 'childFiles', t.child_files, 'childFolders', t.child_folders, 'childBytes', t.child_bytes, 'shared', t.shared, 'linked', t.linked,
                 'limitBytes', t.limit_bytes,
                 'favorite', EXISTS (SELECT 1 FROM favorites f WHERE f.account_id = viewer_id AND f.node_id = t.id))
          FROM nodes t JOIN spaces s ON s.id = t.space_id WHERE t.id = folder_id AND node_is_live(t.id)
      $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION node_depth(uuid); DROP FUNCTION way_is_published(uuid[]); DROP FUNCTION mount_target(uuid, bigint);');
  }
}
