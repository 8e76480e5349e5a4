import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people say about a file, and the tasks they give each other there. Both end with the file. */
export class Comments1795291440000 implements MigrationInterface {
  name = 'Comments1795291440000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE comments (
        id text COLLATE "C" PRIMARY KEY CONSTRAINT ck_comments_id CHECK (id ~ '^[0-9a-f]{24}$'),
        node_id uuid NOT NULL CONSTRAINT fk_comments_node REFERENCES nodes (id) ON DELETE CASCADE,
        author_id bigint NOT NULL CONSTRAINT fk_comments_author REFERENCES accounts (id) ON DELETE CASCADE,
        kind text NOT NULL CONSTRAINT ck_comments_kind CHECK (kind IN ('text', 'task')),
        text text NOT NULL,
        -- the same text with the marks by which a client names people in it
        tagged_text text NOT NULL DEFAULT '',
        -- of a task; 0 = none
        due_ms bigint NOT NULL DEFAULT 0 CONSTRAINT ck_comments_due CHECK (due_ms >= 0),
        created_ms bigint NOT NULL,
        edited_ms bigint
      );
      CREATE INDEX ix_comments_node ON comments (node_id, created_ms, id);
      CREATE INDEX ix_comments_author ON comments (author_id);
      CREATE TABLE comment_assignees (
        id text COLLATE "C" PRIMARY KEY CONSTRAINT ck_comment_assignees_id CHECK (id ~ '^[0-9a-f]{24}$'),
        comment_id text COLLATE "C" NOT NULL CONSTRAINT fk_comment_assignees_comment REFERENCES comments (id) ON DELETE CASCADE,
        account_id bigint NOT NULL CONSTRAINT fk_comment_assignees_account REFERENCES accounts (id) ON DELETE CASCADE,
        status text NOT NULL DEFAULT 'new' CONSTRAINT ck_comment_assignees_status CHECK (status IN ('new', 'accept', 'decline', 'done')),
        created_ms bigint NOT NULL,
        CONSTRAINT uq_comment_assignees UNIQUE (comment_id, account_id)
      );
      CREATE INDEX ix_comment_assignees_account ON comment_assignees (account_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE comment_assignees, comments');
  }
}
