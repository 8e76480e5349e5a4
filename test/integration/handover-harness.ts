import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Test, type TestingModule } from '@nestjs/testing';

import { AppConfig, ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { HandoverJobsModule, HandoverModule, HandoverService, HandoverTask, MigrationService, MigrationTask } from '#libs/handover';
import type { AccountActor } from '#libs/kernel';
import { Logger, ObservabilityModule } from '#libs/observability';
import type { JsonValue, TaskContext } from '#libs/tasks';

import { type Member, SharingHarness } from './sharing-harness.js';
import { context, segments, type TreeHarness } from './tree-harness.js';

/** Trees and shares of one database, and the tasks that let them change hands. */
export class HandoverHarness {
  private constructor(
    readonly sharing: SharingHarness,
    readonly app: TestingModule,
    private readonly drop: () => Promise<void>,
  ) {}

  static async start(): Promise<HandoverHarness> {
    const sharing = await SharingHarness.start();
    const root = await mkdtemp(join(tmpdir(), 'stowage-handover-'));
    const config = new AppConfig({ DATABASE_URL: sharing.tree.url, STOWAGE_SECRET_KEY: randomBytes(32).toString('hex'), STOWAGE_DATA_DIR: root });
    const app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule.forRoot(Logger.create('silent')),
        DatabaseModule.forRoot({ url: sharing.tree.url, poolSize: 16, statementTimeoutMs: 60_000, applicationName: 'test' }),
        HandoverModule,
        HandoverJobsModule,
      ],
    }).compile();
    await app.init();
    return new HandoverHarness(sharing, app, () => rm(root, { recursive: true, force: true }));
  }

  get tree(): TreeHarness {
    return this.sharing.tree;
  }

  readonly service = <T>(type: new (...args: never[]) => T): T => this.app.get<T>(type, { strict: false });

  get migrations(): MigrationService {
    return this.service(MigrationService);
  }

  start(owner: AccountActor, path: string, to: AccountActor): Promise<void> {
    return this.service(HandoverService).start(owner, { path: segments(path), memberId: to.accountId });
  }

  /** Does what the worker would do with the tasks of this kind that wait, and ends them; the errors they ended with. */
  async work(kind: 'handover.folder' | 'handover.migration', change: Partial<TaskContext> = {}): Promise<unknown[]> {
    const rows = await this.tree.database.query<{ id: string; input: never; account_id: number; checkpoint: JsonValue }>(
      `UPDATE tasks SET state = 'running' WHERE kind = $1 AND state = 'waiting' RETURNING id, input, account_id, checkpoint`,
      [kind],
    );
    const handler = kind === 'handover.folder' ? this.service(HandoverTask) : this.service(MigrationTask);
    const errors: unknown[] = [];
    await Promise.all(
      rows.map(async ({ id, input, account_id: accountId }) => {
        try {
          await handler.run(input, { ...context(accountId), ...change });
        } catch (error) {
          errors.push(error);
        }
        await this.tree.database.run(`UPDATE tasks SET state = 'succeeded' WHERE id = $1`, [id]);
      }),
    );
    return errors.map((error) => (error as { code?: unknown }).code ?? error);
  }

  async handOver(owner: AccountActor, path: string, to: AccountActor): Promise<void> {
    await this.start(owner, path, to);
    const errors = await this.work('handover.folder');
    if (errors.length > 0) throw errors[0] as Error;
  }

  /** All files and folders that somebody sees, as `/a/b.txt 10`. */
  async seen(actor: AccountActor, path = '/'): Promise<string[]> {
    const { entries } = await this.tree.browse.list(actor, {
      node: { path: segments(path) },
      dirsOnly: false,
      includeRemoved: false,
      orderBy: 'name',
      descending: false,
      offset: 0,
      limit: 0,
    });
    const base = path === '/' ? '' : path;
    const all: string[] = [];
    for (const entry of entries) {
      all.push(`${base}/${entry.name}${entry.kind === 'file' ? ` ${entry.sizeBytes}` : ''}`);
      if (entry.kind === 'folder') all.push(...(await this.seen(actor, `${base}/${entry.name}`)));
    }
    return all;
  }

  people(count: number): Promise<Member[]> {
    return Promise.all(Array.from({ length: count }, () => this.sharing.member()));
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.sharing.close();
    await this.drop();
  }
}
