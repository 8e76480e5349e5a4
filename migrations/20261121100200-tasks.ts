import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operations that a client polls, and the outbox between a transaction and the queue. */
export class Tasks1795255320000 implements MigrationInterface {
  name = 'Tasks1795255320000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tasks (
        id uuid PRIMARY KEY,
        -- what the client holds: 128 hex characters
        public_id text NOT NULL CONSTRAINT uq_tasks_public_id UNIQUE,
        account_id bigint CONSTRAINT fk_tasks_account REFERENCES accounts (id) ON DELETE CASCADE,
        kind text NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CONSTRAINT ck_tasks_state CHECK (state IN ('waiting', 'running', 'succeeded', 'failed', 'cancelled')),
        input jsonb NOT NULL DEFAULT '{}',
        checkpoint jsonb,
        result jsonb,
        error_code text,
        error_message text,
        progress real NOT NULL DEFAULT 0 CONSTRAINT ck_tasks_progress CHECK (progress BETWEEN 0 AND 100),
        -- runs since the last saved progress
        attempts integer NOT NULL DEFAULT 0,
        -- number of the run that owns the task; an older run can no longer write
        run_no integer NOT NULL DEFAULT 0,
        cancel_requested boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        updated_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      );
      CREATE INDEX ix_tasks_account ON tasks (account_id, kind, created_at DESC);
      CREATE INDEX ix_tasks_unfinished ON tasks (updated_at) WHERE state IN ('waiting', 'running');
      CREATE INDEX ix_tasks_finished ON tasks (finished_at) WHERE finished_at IS NOT NULL;

      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        job text NOT NULL,
        payload jsonb NOT NULL,
        correlation_id text,
        delay_until timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outbox, tasks;');
  }
}
