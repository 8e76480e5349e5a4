import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { DataSource, type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';

import { Call, DomainError } from '#libs/kernel';

import { isRetryable, translatePgError } from './pg-errors.js';

interface Unit {
  readonly client: PoolClient;
  readonly runner: QueryRunner;
  readonly afterCommit: (() => void | Promise<void>)[];
  /** A statement ran that may have changed something. */
  mayHaveWritten: boolean;
}

const current = new AsyncLocalStorage<Unit>();
const statementNames = new Map<string, string>();
const MAX_ATTEMPTS = 5;

const WRITES = /\b(?:INSERT\s+INTO|UPDATE\s+(?!SKIP\b|NOWAIT\b|OF\b)[a-z_]|DELETE\s+FROM)/;
const writing = new Map<string, boolean>();

/** True for the text of a statement that may change rows. */
function mayWrite(text: string): boolean {
  let answer = writing.get(text);
  if (answer === undefined) writing.set(text, (answer = WRITES.test(text)));
  return answer;
}

/** What waited for another change and then found nothing to do has a transaction id, but has changed nothing. A WITH may change more than it answers. */
function mayHaveChanged(text: string, rowCount: number | null): boolean {
  return rowCount !== 0 || text.trimStart().startsWith('WITH');
}

/** The record of the call goes into a transaction that has changed something, and into no other. */
const RECORD = 'SELECT audit_write($1::json) WHERE pg_current_xact_id_if_assigned() IS NOT NULL';

/** Statements are prepared once a connection under a name made from their text, so the text must be constant: values go into parameters. */
function statementName(text: string): string {
  let name = statementNames.get(text);
  if (name === undefined) {
    name = `s_${createHash('sha1').update(text).digest('hex').slice(0, 16)}`;
    statementNames.set(text, name);
  }
  return name;
}

/** Runs a whole transaction again after a deadlock or a serialization failure. BUSY when it keeps losing. */
async function retried<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction();
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (attempt === MAX_ATTEMPTS) throw new DomainError('BUSY', 'Too many changes at the same place; try again.', {}, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
    }
  }
}

/** SQL of the repositories: runs in the transaction of the surrounding `UnitOfWork.run`, or on its own when there is none. */
@Injectable()
export class Database {
  constructor(private readonly dataSource: DataSource) {}

  /** Rows of one constant, parameterised statement. PostgreSQL errors arrive as DomainErrors where a user can act on them. */
  async query<T extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.execute<T>(text, values)).rows;
  }

  /** The first row, or null. */
  async queryOne<T extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<T | null> {
    return (await this.execute<T>(text, values)).rows[0] ?? null;
  }

  /** How many rows the statement changed. */
  async run(text: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.execute(text, values)).rowCount ?? 0;
  }

  /**
   * The first row, or null, of a statement that makes the whole change of a call by itself, its record too: the last parameter, which is added here, is what
   * the statement gives to `audit_write()` once, when it makes the change and answers a row. Null there (nothing is to be recorded) is taken.
   */
  async changeOne<T extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<T | null> {
    const call = current.getStore() ? null : Call.current();
    const record = call?.take() ?? null;
    let row: T | undefined;
    try {
      [row] = (await this.send<T>(text, [...values, record])).rows;
    } finally {
      if (record !== null) call?.settle(row !== undefined);
    }
    if (record === null && row) call?.wroteBeside();
    return row ?? null;
  }

  /** Plain work on entities, in the surrounding transaction or on its own. Errors arrive as those of `query` do. */
  async entities<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const unit = current.getStore();
    if (!unit && awaitsRecord()) return inUnit(this.dataSource, () => this.entities(work));
    if (unit) unit.mayHaveWritten = true;
    try {
      return await work(unit?.runner.manager ?? this.dataSource.manager);
    } catch (error) {
      // TypeORM's own error holds all parameters, hashes of secrets among them
      throw translated(error instanceof QueryFailedError ? error.driverError : error);
    }
  }

  /** How many connections the pool has, how many of them are free, and how many callers wait for one. */
  get connections(): { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number } {
    return poolOf(this.dataSource);
  }

  /**
   * Waits until this transaction alone holds `key`; released at its end. It must be a statement of its own before the reads it
   * protects: a check in the same statement would still see the state from before the wait.
   */
  async lock(key: string): Promise<void> {
    if (!current.getStore()) throw new Error('An advisory lock needs a transaction.');
    await this.execute('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [key]);
  }

  private async execute<T extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<QueryResult<T>> {
    // what a call changes goes into a transaction that can take its record along
    if (!current.getStore() && mayWrite(text) && awaitsRecord()) return inUnit(this.dataSource, () => this.send<T>(text, values));
    return this.send(text, values);
  }

  private async send<T extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<QueryResult<T>> {
    const unit = current.getStore();
    const target = unit?.client ?? poolOf(this.dataSource);
    const query = () => target.query<T>({ name: statementName(text), text, values: values as unknown[] });
    try {
      // A statement on its own is a transaction of its own: after a deadlock nothing of it has happened, so it may run again.
      const result = await (unit ? query() : retried(query));
      if (unit && mayWrite(text) && mayHaveChanged(text, result.rowCount)) unit.mayHaveWritten = true;
      return result;
    } catch (error) {
      throw translated(error);
    }
  }
}

/** Transactions. A nested `run` joins the one that surrounds it. */
@Injectable()
export class UnitOfWork {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in one READ COMMITTED transaction and commits it; any error rolls all of it back. After a deadlock or a
   * serialization failure the whole of `work` runs again, so it must have no effect outside the database: no S3, Redis, HTTP or mail.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    return current.getStore() ? work() : inUnit(this.dataSource, work);
  }

  /** Calls `effect` once the surrounding transaction has been committed, or at once when there is none. */
  async afterCommit(effect: () => void | Promise<void>): Promise<void> {
    const unit = current.getStore();
    if (unit) unit.afterCommit.push(effect);
    else await effect();
  }
}

/** Runs `work` in a transaction of its own; see `UnitOfWork.run`. */
function inUnit<T>(dataSource: DataSource, work: () => Promise<T>): Promise<T> {
  return retried(() => once(dataSource, work));
}

async function once<T>(dataSource: DataSource, work: () => Promise<T>): Promise<T> {
  const call = Call.current();
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await connect(runner)) as PoolClient;
    await runner.startTransaction();
    const unit: Unit = { client, runner, afterCommit: [], mayHaveWritten: false };
    let result: T;
    let record: string | null = null;
    let recorded = false;
    try {
      result = await current.run(unit, work);
      record = unit.mayHaveWritten ? (call?.take() ?? null) : null;
      const carries = record !== null && (await writeRecord(client, record));
      await runner.commitTransaction();
      recorded = carries;
      if (unit.mayHaveWritten && record === null) call?.wroteBeside();
    } catch (error) {
      await runner.rollbackTransaction().catch(() => undefined);
      throw translated(error);
    } finally {
      if (record !== null) call?.settle(recorded);
    }
    for (const effect of unit.afterCommit) await effect();
    return result;
  } finally {
    await runner.release().catch(() => undefined);
  }
}

/** True while the surrounding call, if there is one, has no record yet. */
function awaitsRecord(): boolean {
  return Call.current()?.isRecorded === false;
}

/** Puts the record into the transaction of `client`, if that has changed something. */
async function writeRecord(client: PoolClient, record: string): Promise<boolean> {
  return (await client.query({ name: statementName(RECORD), text: RECORD, values: [record] })).rowCount === 1;
}

/** What stays as it is for `UnitOfWork.run` to see, or what a user can act on. */
function translated(error: unknown): unknown {
  return isRetryable(error) ? error : translatePgError(error);
}

async function connect(runner: QueryRunner): Promise<unknown> {
  try {
    return await runner.connect();
  } catch (error) {
    throw translatePgError(error);
  }
}

/** The pool below TypeORM. Prepared statements on it cost a third of TypeORM's own reads (measured), which hot paths need. */
export function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}
