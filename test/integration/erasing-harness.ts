import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Test, type TestingModule } from '@nestjs/testing';

import { CommentsModule } from '#libs/comments';
import { CompaniesModule, CompanyJobsModule } from '#libs/companies';
import { AppConfig, ConfigModule } from '#libs/config';
import { Database, DatabaseModule } from '#libs/database';
import { AccountDeletion, EraseAccountTask, EraseDueJob, ErasingJobsModule, ErasingModule, MemberRemoval } from '#libs/erasing';
import type { AccountActor } from '#libs/kernel';
import { Logger, ObservabilityModule } from '#libs/observability';
import type { JsonValue, TaskContext } from '#libs/tasks';

import { type Member, SharingHarness } from './sharing-harness.js';
import { context, type TreeHarness } from './tree-harness.js';

/** Days for which deleted accounts are kept here. */
export const KEPT_DAYS = 7;

/** Trees and shares of one database, and what ends accounts. */
export class ErasingHarness {
  private constructor(
    readonly sharing: SharingHarness,
    readonly app: TestingModule,
    private readonly drop: () => Promise<void>,
  ) {}

  static async start(): Promise<ErasingHarness> {
    const sharing = await SharingHarness.start();
    const root = await mkdtemp(join(tmpdir(), 'stowage-erasing-'));
    const config = new AppConfig({
      DATABASE_URL: sharing.tree.url,
      STOWAGE_SECRET_KEY: randomBytes(32).toString('hex'),
      STOWAGE_DATA_DIR: root,
      STOWAGE_DELETED_ACCOUNT_DAYS: String(KEPT_DAYS),
    });
    const app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule.forRoot(Logger.create('silent')),
        DatabaseModule.forRoot({ url: sharing.tree.url, poolSize: 16, statementTimeoutMs: 60_000, applicationName: 'test' }),
        CompaniesModule,
        CompanyJobsModule,
        CommentsModule,
        ErasingModule,
        ErasingJobsModule,
      ],
    }).compile();
    await app.init();
    return new ErasingHarness(sharing, app, () => rm(root, { recursive: true, force: true }));
  }

  get tree(): TreeHarness {
    return this.sharing.tree;
  }

  get deletion(): AccountDeletion {
    return this.service(AccountDeletion);
  }

  get removal(): MemberRemoval {
    return this.service(MemberRemoval);
  }

  readonly service = <T>(type: new (...args: never[]) => T): T => this.app.get<T>(type, { strict: false });

  readonly row = (sql: string, values: readonly unknown[] = []) => this.tree.database.queryOne<Record<string, unknown>>(sql, values);

  async admin(): Promise<Member> {
    const admin = await this.sharing.member();
    await this.tree.database.run(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [admin.accountId]);
    return { ...admin, role: 'admin' };
  }

  /** What the schedule does. */
  sweep(): Promise<void> {
    return this.service(EraseDueJob).handle({}, { signal: new AbortController().signal });
  }

  /**
   * Runs the waiting tasks that end accounts, as the worker would: from the checkpoint that was stored in the transaction of the work. `saves`: after how
   * many stored signs of progress the run is killed. Answers the codes they failed with.
   */
  async work(saves = Infinity): Promise<unknown[]> {
    const rows = await this.tree.database.query<{ id: string; input: never; checkpoint: JsonValue }>(
      `SELECT id, input, checkpoint FROM tasks WHERE kind = 'accounts.erase' AND state = 'waiting' ORDER BY created_at`,
    );
    const failed: unknown[] = [];
    for (const { id, input, checkpoint } of rows) {
      let left = saves;
      const run: TaskContext = {
        ...context(null),
        taskId: id,
        checkpoint,
        saveProgress: async (percent, state) => {
          if (left-- <= 0) throw new Error('killed');
          await this.database.run('UPDATE tasks SET progress = $2, checkpoint = coalesce($3::jsonb, checkpoint) WHERE id = $1', [
            id,
            Math.min(100, percent),
            state === undefined ? null : JSON.stringify(state),
          ]);
        },
      };
      try {
        await this.service(EraseAccountTask).run(input, run);
        await this.tree.database.run(`UPDATE tasks SET state = 'succeeded' WHERE id = $1`, [id]);
      } catch (error) {
        failed.push((error as { code?: unknown }).code ?? (error as Error).message);
        if ((error as Error).message !== 'killed') await this.tree.database.run(`UPDATE tasks SET state = 'failed' WHERE id = $1`, [id]);
      }
    }
    return failed;
  }

  /** Every row of the database that holds this text, as `table: row`. */
  async find(text: string): Promise<string[]> {
    const tables = await this.tree.database.query<{ name: string }>(
      `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await this.tree.database.query<{ row: string }>(
        `SELECT t::text AS row FROM ${name} t WHERE strpos(lower(t::text), lower($1)) > 0`,
        [text],
      );
      found.push(...rows.map(({ row }) => `${name}: ${row}`));
    }
    return found;
  }

  /** Columns that reference the account still, as `table.column`. */
  async references(account: AccountActor): Promise<string[]> {
    const columns = await this.tree.database.query<{ relation: string; name: string }>(
      `SELECT c.conrelid::regclass::text AS relation, quote_ident(a.attname) AS name FROM pg_constraint c
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND c.confrelid = 'accounts'::regclass ORDER BY 1, 2`,
    );
    const found: string[] = [];
    for (const { relation, name } of columns) {
      if (await this.row(`SELECT 1 AS one FROM ${relation} WHERE ${name} = $1 LIMIT 1`, [account.accountId])) found.push(`${relation}.${name}`);
    }
    return found;
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.sharing.close();
    await this.drop();
  }

  /** That of the module which erases: its transactions carry the progress. */
  private get database() {
    return this.app.get(Database, { strict: false });
  }
}
