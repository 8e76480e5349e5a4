import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Test, type TestingModule } from '@nestjs/testing';

import { BlobStore } from '#libs/blob-store';
import { AppConfig, ConfigModule } from '#libs/config';
import { Database, DatabaseModule, UnitOfWork } from '#libs/database';
import { EventsJobsModule, EventsModule, Feed } from '#libs/events';
import { type AccountActor, newId } from '#libs/kernel';
import { ChangeLog, changeOf, FolderMaker, type LocatedNode, nameKey, NodeResolver, NodesModule, SpaceService } from '#libs/nodes';
import { Logger, ObservabilityModule } from '#libs/observability';
import { QueueWorkerModule } from '#libs/queue';

import { createTestDatabase } from '../support/services.js';

/** Feeds on a database of its own. Shares are made by SQL: what makes them in the product is not under test here. */
export class EventsHarness {
  private constructor(
    readonly app: TestingModule,
    readonly url: string,
    private readonly drop: () => Promise<void>,
  ) {}

  static async start(): Promise<EventsHarness> {
    const database = await createTestDatabase();
    const root = await mkdtemp(join(tmpdir(), 'stowage-events-'));
    const config = new AppConfig({ DATABASE_URL: database.url, STOWAGE_SECRET_KEY: randomBytes(32).toString('hex'), STOWAGE_DATA_DIR: root });
    const app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule.forRoot(Logger.create('silent')),
        DatabaseModule.forRoot({ url: database.url, poolSize: 16, statementTimeoutMs: 60_000, applicationName: 'test' }),
        DatabaseModule,
        QueueWorkerModule,
        NodesModule,
        EventsModule,
        EventsJobsModule,
      ],
    }).compile();
    await app.get(BlobStore, { strict: false }).prepare();
    return new EventsHarness(app, database.url, async () => {
      await database.drop();
      await rm(root, { recursive: true, force: true });
    });
  }

  readonly service = <T>(type: abstract new (...args: never[]) => T): T => this.app.get<T>(type, { strict: false });

  get database(): Database {
    return this.service(Database);
  }

  get unitOfWork(): UnitOfWork {
    return this.service(UnitOfWork);
  }

  get feed(): Feed {
    return this.service(Feed);
  }

  get log(): ChangeLog {
    return this.service(ChangeLog);
  }

  async account(name = ''): Promise<AccountActor> {
    const row = await this.database.queryOne<{ id: number }>(`INSERT INTO accounts (state, name) VALUES ('active', $1) RETURNING id`, [name]);
    await this.database.run(`INSERT INTO quotas (owner_kind, owner_id) VALUES ('account', $1)`, [row!.id]);
    await this.service(SpaceService).homeOf(row!.id);
    return { kind: 'account', accountId: row!.id, companyId: null, role: 'user', tokenId: null };
  }

  async folder(actor: AccountActor, path: string): Promise<LocatedNode> {
    const { spaceId } = await this.service(SpaceService).homeOf(actor.accountId);
    const segments = path.split('/').filter((part) => part !== '');
    const { folder } = await this.service(FolderMaker).ensure({
      spaceId,
      path: segments,
      authorId: actor.accountId,
      viewerId: actor.accountId,
      nowMs: Date.now(),
    });
    return folder.node;
  }

  /** Shares a folder with an account (or, by a group, with its members): grant, accepted invitation and mount. Returns the id of the mount. */
  async share(folder: LocatedNode, member: AccountActor, mountPath: string, groupId: number | null = null): Promise<string> {
    const [grantId, mountId] = [newId(), newId()];
    const { spaceId } = await this.service(SpaceService).homeOf(member.accountId);
    const segments = mountPath.split('/').filter((part) => part !== '');
    const parent = (await this.service(NodeResolver).get(member, { path: segments.slice(0, -1) })).node;
    const name = segments.at(-1)!;
    await this.database.run('UPDATE nodes SET shared = true WHERE id = $1', [folder.id]);
    await this.database.run('INSERT INTO grants (id, node_id, account_id, group_id, granted_by) VALUES ($1, $2, $3, $4, $5)', [
      grantId,
      folder.id,
      groupId === null ? member.accountId : null,
      groupId,
      folder.ownerId,
    ]);
    await this.database.run(
      `INSERT INTO invitations (id, grant_id, account_id, hash, state, answered_at) VALUES ($1, $2, $3, $4, 'accepted', to_timestamp($5::float8 / 1000))`,
      [newId(), grantId, member.accountId, grantId, Date.now()],
    );
    await this.database.run(
      `INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, created_ms, modified_ms, author_id, mount_of)
       VALUES ($1, $2, $3, 'folder', $4, $5, 0, 0, $6, $7)`,
      [mountId, spaceId, parent.id, name, nameKey(name), member.accountId, folder.id],
    );
    return mountId;
  }

  /** Records that a folder was made in `folder`; only the event, no folder. */
  async create(actor: AccountActor, folder: LocatedNode, name: string): Promise<void> {
    await this.unitOfWork.run(() =>
      this.log.record([{ type: changeOf('created', folder), actorId: actor.accountId, node: folder, folderId: folder.id, name }]),
    );
  }

  /** Records a move of something. */
  async move(actor: AccountActor, node: LocatedNode, from: LocatedNode, to: LocatedNode, name: string): Promise<void> {
    await this.unitOfWork.run(() =>
      this.log.record([{ type: changeOf('moved', node), actorId: actor.accountId, node, folderId: to.id, name, old: { folderId: from.id, name } }]),
    );
  }

  /** What the account sees after the cursor, as `type path` or `type old -> new`. */
  async seen(actor: AccountActor, cursor: string): Promise<string[]> {
    const { events } = await this.feed.after(actor.accountId, cursor, 1000);
    return events.map(({ type, path, oldPath }) => `${type} ${oldPath === null ? '' : `${oldPath} -> `}${path}`);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.drop();
  }
}
