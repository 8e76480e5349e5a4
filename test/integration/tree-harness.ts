import 'reflect-metadata';

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Test, type TestingModule } from '@nestjs/testing';

import { BlobStore } from '#libs/blob-store';
import { AppConfig, ConfigModule } from '#libs/config';
import { Database, DatabaseModule, UnitOfWork } from '#libs/database';
import { BrowseService, CopyService, FilesModule, FolderService, MoveService, TreeJobsModule } from '#libs/files';
import { type AccountActor, DomainError, newId } from '#libs/kernel';
import {
  BlobRepository,
  bytesOf,
  checkName,
  type FileToWrite,
  FileWriter,
  FolderLimits,
  FolderMaker,
  type LocatedNode,
  mediaOf,
  mimeTypeOf,
  nameKey,
  NodeResolver,
  type NodeRef,
  type NodeView,
  Purger,
  QuotaLedger,
  SpaceService,
} from '#libs/nodes';
import { Logger, ObservabilityModule } from '#libs/observability';
import type { TaskContext } from '#libs/tasks';
import { ClearTask, PurgeTask, RestoreTask, TrashJobsModule, TrashModule, TrashService } from '#libs/trash';

import { createTestDatabase } from '../support/services.js';
import { treeDefects } from '../support/tree-invariants.js';

export interface NewFile {
  readonly bytes?: number;
  readonly createdMs?: number | null;
  readonly modifiedMs?: number | null;
}

/** The tree side of the core on a database of its own. */
export class TreeHarness {
  private constructor(
    readonly app: TestingModule,
    readonly url: string,
    private readonly drop: () => Promise<void>,
  ) {}

  static async start(env: Record<string, string> = {}, existingUrl?: string): Promise<TreeHarness> {
    const database = existingUrl === undefined ? await createTestDatabase() : { url: existingUrl, drop: () => Promise.resolve() };
    const root = await mkdtemp(join(tmpdir(), 'stowage-tree-'));
    const config = new AppConfig({ DATABASE_URL: database.url, STOWAGE_SECRET_KEY: randomBytes(32).toString('hex'), STOWAGE_DATA_DIR: root, ...env });
    const app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule.forRoot(Logger.create('silent')),
        DatabaseModule.forRoot({ url: database.url, poolSize: 16, statementTimeoutMs: 600_000, applicationName: 'test' }),
        DatabaseModule,
        FilesModule,
        TreeJobsModule,
        TrashModule,
        TrashJobsModule,
      ],
    }).compile();
    await app.get(BlobStore, { strict: false }).prepare();
    return new TreeHarness(app, database.url, async () => {
      await database.drop();
      await rm(root, { recursive: true, force: true });
    });
  }

  get database(): Database {
    return this.app.get(Database);
  }

  get unitOfWork(): UnitOfWork {
    return this.app.get(UnitOfWork);
  }

  readonly service = <T>(type: new (...args: never[]) => T): T => this.app.get<T>(type, { strict: false });

  get folders(): FolderService {
    return this.service(FolderService);
  }

  get browse(): BrowseService {
    return this.service(BrowseService);
  }

  get moves(): MoveService {
    return this.service(MoveService);
  }

  get copies(): CopyService {
    return this.service(CopyService);
  }

  get trash(): TrashService {
    return this.service(TrashService);
  }

  async account(limitBytes: number | null = null): Promise<AccountActor> {
    const row = await this.database.queryOne<{ id: number }>(`INSERT INTO accounts (state) VALUES ('active') RETURNING id`);
    await this.database.run(`INSERT INTO quotas (owner_kind, owner_id, limit_bytes) VALUES ('account', $1, $2)`, [row!.id, limitBytes]);
    return { kind: 'account', accountId: row!.id, companyId: null, role: 'user', tokenId: null };
  }

  folder(actor: AccountActor, path: string, times: { clientCreatedMs?: number; clientModifiedMs?: number } = {}): Promise<LocatedNode> {
    return this.folders.create(actor, { path: segments(path), createParents: true, ...times });
  }

  /** A file with random content, written the way uploads are. */
  async file(actor: AccountActor, path: string, { bytes = 10, createdMs = null, modifiedMs = null }: NewFile = {}): Promise<LocatedNode> {
    const all = segments(path);
    const name = checkName(all[all.length - 1]!);
    const { spaceId } = await this.service(SpaceService).homeOf(actor.accountId);
    return this.unitOfWork.run(async () => {
      const { folder } = await this.service(FolderMaker).ensure({
        spaceId,
        path: all.slice(0, -1),
        authorId: actor.accountId,
        viewerId: actor.accountId,
        nowMs: Date.now(),
      });
      const place = { nodeId: newId(), parentId: folder.node.id, name, seenVersionNo: 0, clientCreatedMs: createdMs, clientModifiedMs: modifiedMs };
      return this.write(actor, folder.node, bytes, place);
    });
  }

  /** Another version of a file that exists. */
  async newVersion(actor: AccountActor, path: string, bytes: number): Promise<LocatedNode> {
    return this.unitOfWork.run(async () => {
      const node = await this.get(actor, path);
      const { id: nodeId, parentId, name, versionNo: seenVersionNo } = node;
      if (node.kind !== 'file') throw new DomainError('NOT_A_FILE', path);
      return this.write(actor, node, bytes, { nodeId, parentId: parentId!, name, seenVersionNo, clientCreatedMs: null, clientModifiedMs: null });
    });
  }

  private async write(
    actor: AccountActor,
    { spaceId, ownerId }: NodeView,
    bytes: number,
    place: Pick<FileToWrite, 'nodeId' | 'parentId' | 'name' | 'seenVersionNo' | 'clientCreatedMs' | 'clientModifiedMs'>,
  ): Promise<LocatedNode> {
    const content = randomBytes(16);
    const blob = {
      id: newId(),
      storeKey: `blobs/${content.toString('hex').slice(0, 2)}/${content.toString('hex')}`,
      sizeBytes: bytes,
      md5: createHash('md5').update(content).digest('hex'),
      sha256: createHash('sha256').update(content).digest('hex'),
      crc32: 0,
    };
    const mimeType = mimeTypeOf(place.name);
    const media = mediaOf(mimeType);
    await this.service(BlobRepository).insert(blob);
    await this.service(QuotaLedger).add(ownerId, bytesOf(media, bytes));
    const item: FileToWrite = {
      ...place,
      versionId: newId(),
      blobId: blob.id,
      spaceId,
      nameKey: nameKey(place.name),
      mimeType,
      media,
      origin: 'upload',
      diffBytes: null,
      authorId: actor.accountId,
      deviceId: null,
      deviceReference: null,
      restoredFromMs: null,
      onlyAfterSeen: false,
    };
    if (!(await this.service(FileWriter).fromBlob(actor.accountId, item, Date.now())))
      throw new DomainError('VERSION_CONFLICT', 'The file has changed.');
    await this.service(FolderLimits).require(place.parentId, bytes, { counted: true });
    return (await this.service(NodeResolver).get(actor, { id: place.nodeId })).node;
  }

  get(actor: AccountActor, path: string): Promise<LocatedNode> {
    return this.browse.get(actor, { node: at(path) });
  }

  /** Names in a folder, in name order. */
  async names(actor: AccountActor, path: string): Promise<string[]> {
    const { entries } = await this.browse.list(actor, {
      node: at(path),
      dirsOnly: false,
      includeRemoved: false,
      orderBy: 'name',
      descending: false,
      offset: 0,
      limit: 0,
    });
    return entries.map((entry) => entry.name);
  }

  /** Names in the trash. */
  async trashNames(actor: AccountActor): Promise<string[]> {
    const { entries } = await this.trash.list(actor, { dirsOnly: false, orderBy: 'name', descending: false, offset: 0, limit: 0 });
    return entries.map((entry) => entry.trashName!);
  }

  async remove(actor: AccountActor, ...paths: string[]): Promise<void> {
    for (const outcome of await this.trash.trash(actor, { nodes: paths.map(at), onlyEmpty: false, permanent: false })) {
      if ('error' in outcome) throw outcome.error;
    }
  }

  /** Does what the worker would do with the last task of this kind, and returns its result. */
  async runTask(kind: 'trash.restore' | 'trash.clear' | 'files.purge', publicId: string): Promise<unknown> {
    const row = await this.database.queryOne<{ input: never; account_id: number }>(
      `UPDATE tasks SET state = 'succeeded' WHERE public_id = $1 AND kind = $2 RETURNING input, account_id`,
      [publicId, kind],
    );
    const handler = { 'trash.restore': RestoreTask, 'trash.clear': ClearTask, 'files.purge': PurgeTask }[kind] as new (...args: never[]) => {
      run(input: never, context: TaskContext): Promise<unknown>;
    };
    return this.service(handler).run(row!.input, context(row!.account_id));
  }

  /** Erases everything that waits for it in the actor's space. */
  async purgeAll(actor: AccountActor): Promise<number> {
    const { spaceId } = await this.service(SpaceService).homeOf(actor.accountId);
    return this.service(Purger).all(spaceId, () => Promise.resolve());
  }

  async usedBytes(actor: AccountActor): Promise<number> {
    return (await this.service(QuotaLedger).get(actor.accountId)).usedBytes;
  }

  /** Everything that is wrong with the rows of the tree, in words; empty when all is well. */
  async defects(): Promise<string[]> {
    return treeDefects(this.database);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.drop();
  }
}

/** A context for handlers that are run without a worker. */
export function context(accountId: number | null): TaskContext {
  return {
    taskId: newId(),
    accountId,
    guest: null,
    checkpoint: null,
    signal: new AbortController().signal,
    saveProgress: () => Promise.resolve(),
    throwIfCancelled: () => Promise.resolve(),
  };
}

export function segments(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

export function at(path: string): NodeRef {
  return { path: segments(path) };
}

/** The code of the DomainError that `work` throws; fails when it throws none. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
  throw new Error('nothing was refused');
}
