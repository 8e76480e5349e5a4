import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import type { DomainErrorCode, GuestActor } from '#libs/kernel';
import type { TaskKind } from '#libs/queue';

import type { JsonValue } from '../handler.js';

export type TaskState = 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface TaskRow {
  readonly id: string;
  readonly publicId: string;
  readonly accountId: number | null;
  /** Who started it without an account. */
  readonly guest: GuestActor | null;
  readonly kind: TaskKind;
  readonly state: TaskState;
  readonly input: JsonValue;
  readonly checkpoint: JsonValue;
  readonly result: JsonValue;
  readonly errorCode: DomainErrorCode | null;
  readonly errorMessage: string | null;
  readonly progress: number;
  /** Runs since the last saved progress. */
  readonly attempts: number;
  /** Number of the run that owns the task. */
  readonly runNo: number;
  readonly cancelRequested: boolean;
  readonly createdMs: number;
  readonly finishedMs: number | null;
  /** Since the owning run was last heard of. */
  readonly silentMs: number;
}

const COLUMNS = `id, public_id AS "publicId", account_id AS "accountId", guest, kind, state, input, checkpoint, result, error_code AS "errorCode",
  error_message AS "errorMessage", progress, attempts, run_no AS "runNo", cancel_requested AS "cancelRequested",
  (extract(epoch FROM created_at) * 1000)::bigint AS "createdMs", (extract(epoch FROM finished_at) * 1000)::bigint AS "finishedMs",
  (extract(epoch FROM clock_timestamp() - updated_at) * 1000)::float8 AS "silentMs"`;

type Row = TaskRow & Record<string, unknown>;

export interface RunReply {
  readonly cancelRequested: boolean;
}

/** Rows of `tasks`. The database's clock measures silence, so that workers on machines with different clocks agree. */
@Injectable()
export class TaskRepository {
  constructor(private readonly database: Database) {}

  async insert(task: Pick<TaskRow, 'id' | 'publicId' | 'accountId' | 'guest' | 'kind'> & { readonly input: object }): Promise<void> {
    await this.database.run('INSERT INTO tasks (id, public_id, account_id, guest, kind, input) VALUES ($1, $2, $3, $4::jsonb, $5, $6::jsonb)', [
      task.id,
      task.publicId,
      task.accountId,
      task.guest && JSON.stringify(task.guest),
      task.kind,
      JSON.stringify(task.input),
    ]);
  }

  /** Empty when there is no such task. */
  async publicIdOf(id: string): Promise<string> {
    return (await this.database.queryOne<{ publicId: string }>('SELECT public_id AS "publicId" FROM tasks WHERE id = $1', [id]))?.publicId ?? '';
  }

  byPublicId(publicId: string): Promise<TaskRow | null> {
    return this.database.queryOne<Row>(`SELECT ${COLUMNS} FROM tasks WHERE public_id = $1`, [publicId]);
  }

  lockByPublicId(publicId: string): Promise<TaskRow | null> {
    return this.database.queryOne<Row>(`SELECT ${COLUMNS} FROM tasks WHERE public_id = $1 FOR UPDATE`, [publicId]);
  }

  lockById(id: string): Promise<TaskRow | null> {
    return this.database.queryOne<Row>(`SELECT ${COLUMNS} FROM tasks WHERE id = $1 FOR UPDATE`, [id]);
  }

  latest(accountId: number | null, kind: TaskKind, input: object | null): Promise<TaskRow | null> {
    return this.database.queryOne<Row>(
      `SELECT ${COLUMNS} FROM tasks WHERE account_id IS NOT DISTINCT FROM $1 AND guest IS NULL AND kind = $2 AND ($3::jsonb IS NULL OR input = $3::jsonb)
        ORDER BY created_at DESC, id DESC LIMIT 1`,
      [accountId, kind, input && JSON.stringify(input)],
    );
  }

  /** Gives the task to a new run and returns its number. */
  async beginRun(id: string): Promise<number> {
    const row = await this.database.queryOne<{ runNo: number }>(
      `UPDATE tasks SET state = 'running', attempts = attempts + 1, run_no = run_no + 1, started_at = coalesce(started_at, now()),
              updated_at = clock_timestamp() WHERE id = $1 RETURNING run_no AS "runNo"`,
      [id],
    );
    if (!row) throw new Error(`task ${id} vanished under its lock`);
    return row.runNo;
  }

  /** Shows that run `runNo` is alive; null when it owns the task no longer. */
  heartbeat(id: string, runNo: number): Promise<RunReply | null> {
    return this.database.queryOne<RunReply & Record<string, unknown>>(
      `UPDATE tasks SET updated_at = clock_timestamp() WHERE id = $1 AND run_no = $2 AND state = 'running' RETURNING cancel_requested AS "cancelRequested"`,
      [id, runNo],
    );
  }

  /** Stores progress and, unless undefined, the checkpoint; null when run `runNo` owns the task no longer. */
  saveProgress(id: string, runNo: number, percent: number, checkpoint: object | undefined): Promise<RunReply | null> {
    return this.database.queryOne<RunReply & Record<string, unknown>>(
      `UPDATE tasks SET progress = $3, checkpoint = coalesce($4::jsonb, checkpoint), attempts = 0, updated_at = clock_timestamp()
        WHERE id = $1 AND run_no = $2 AND state = 'running' RETURNING cancel_requested AS "cancelRequested"`,
      [id, runNo, percent, checkpoint === undefined ? null : JSON.stringify(checkpoint)],
    );
  }

  /** Ends the task for run `runNo`; false when that owns it no longer. */
  async finishRun(id: string, runNo: number, outcome: TaskOutcome): Promise<boolean> {
    const changed = await this.database.run(
      `UPDATE tasks SET state = $3, result = $4::jsonb, error_code = $5, error_message = $6, progress = CASE WHEN $3 = 'succeeded' THEN 100 ELSE progress END,
              updated_at = clock_timestamp(), finished_at = clock_timestamp() WHERE id = $1 AND run_no = $2 AND state = 'running'`,
      [
        id,
        runNo,
        outcome.state,
        outcome.result === undefined ? null : JSON.stringify(outcome.result),
        outcome.errorCode ?? null,
        outcome.errorMessage ?? null,
      ],
    );
    return changed === 1;
  }

  /** Gives the task back for a later run. */
  async releaseRun(id: string, runNo: number): Promise<void> {
    await this.database.run(
      `UPDATE tasks SET state = 'waiting', updated_at = clock_timestamp() WHERE id = $1 AND run_no = $2 AND state = 'running'`,
      [id, runNo],
    );
  }

  /** Removes an ended task of its starter. */
  async deleteFinished(publicId: string, accountId: number | null): Promise<void> {
    await this.database.run(
      'DELETE FROM tasks WHERE public_id = $1 AND account_id IS NOT DISTINCT FROM $2 AND guest IS NULL AND finished_at IS NOT NULL',
      [publicId, accountId],
    );
  }

  /** Ends a task that no run owns. */
  async close(id: string, state: 'cancelled' | 'failed', errorCode: DomainErrorCode | null, errorMessage: string | null): Promise<void> {
    await this.database.run(
      'UPDATE tasks SET state = $2, error_code = $3, error_message = $4, updated_at = clock_timestamp(), finished_at = clock_timestamp() WHERE id = $1',
      [id, state, errorCode, errorMessage],
    );
  }

  async requestCancel(id: string): Promise<void> {
    await this.database.run('UPDATE tasks SET cancel_requested = true WHERE id = $1', [id]);
  }

  /** Makes a failed or cancelled task wait again; its checkpoint stays. */
  async reopen(id: string): Promise<void> {
    await this.database.run(
      `UPDATE tasks SET state = 'waiting', attempts = 0, cancel_requested = false, error_code = NULL, error_message = NULL, finished_at = NULL,
              updated_at = clock_timestamp() WHERE id = $1`,
      [id],
    );
  }

  /**
   * Takes up to `limit` unfinished tasks of these kinds that nothing was heard of for so long, and starts their silence anew, so that each is put again
   * once a period. Rows that a run holds are passed over.
   */
  claimSilent(kinds: readonly TaskKind[], state: 'waiting' | 'running', silentMs: number, limit: number): Promise<{ id: string; kind: TaskKind }[]> {
    return this.database.query<{ id: string; kind: TaskKind }>(
      `UPDATE tasks SET updated_at = clock_timestamp(), state = 'waiting', run_no = run_no + 1
        WHERE id IN (SELECT id FROM tasks WHERE state = $2 AND state IN ('waiting', 'running') AND kind = ANY($1::text[])
                       AND updated_at < clock_timestamp() - $3::float8 * interval '1 millisecond'
                      ORDER BY updated_at LIMIT $4 FOR UPDATE SKIP LOCKED)
        RETURNING id, kind`,
      [kinds, state, silentMs, limit],
    );
  }

  /** Removes up to `limit` tasks that ended longer ago than `ageMs`; returns how many. */
  removeFinished(ageMs: number, limit: number): Promise<number> {
    return this.database.run(
      `DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE finished_at IS NOT NULL AND finished_at < now() - $1::float8 * interval '1 millisecond' LIMIT $2)`,
      [ageMs, limit],
    );
  }
}

export interface TaskOutcome {
  readonly state: 'succeeded' | 'failed' | 'cancelled';
  readonly result?: unknown;
  readonly errorCode?: DomainErrorCode;
  readonly errorMessage?: string;
}
