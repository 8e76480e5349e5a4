import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { DataSource, type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';

import { DomainError } from '#libs/kernel';

import { isRetryable, translatePgError } from './pg-errors.js';

interface Unit {
  readonly client: PoolClient;
  readonly runner: QueryRunner;
  readonly afterCommit: (() => void | Promise<void>)[];
}

const current = new AsyncLocalStorage<Unit>();
const statementNames = new Map<string, string>();
const MAX_ATTEMPTS = 5;

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

  /** Plain work on entities, in the surrounding transaction or on its own. Errors arrive as those of `query` do. */
  async entities<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await work(current.getStore()?.runner.manager ?? this.dataSource.manager);
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
    const unit = current.getStore();
    const target = unit?.client ?? poolOf(this.dataSource);
    const query = () => target.query<T>({ name: statementName(text), text, values: values as unknown[] });
    try {
      // A statement on its own is a transaction of its own: after a deadlock nothing of it has happened, so it may run again.
      return await (unit ? query() : retried(query));
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
    return current.getStore() ? work() : retried(() => this.once(work));
  }

  /** Calls `effect` once the surrounding transaction has been committed, or at once when there is none. */
  async afterCommit(effect: () => void | Promise<void>): Promise<void> {
    const unit = current.getStore();
    if (unit) unit.afterCommit.push(effect);
    else await effect();
  }

  private async once<T>(work: () => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client = (await connect(runner)) as PoolClient;
      await runner.startTransaction();
      const unit: Unit = { client, runner, afterCommit: [] };
      let result: T;
      try {
        result = await current.run(unit, work);
        await runner.commitTransaction();
      } catch (error) {
        await runner.rollbackTransaction().catch(() => undefined);
        throw translated(error);
      }
      for (const effect of unit.afterCommit) await effect();
      return result;
    } finally {
      await runner.release().catch(() => undefined);
    }
  }
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
