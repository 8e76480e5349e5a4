import 'reflect-metadata';

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';

import { BlobStore, FilesystemBlobStore, SignedUrls, UploadGate } from '#libs/blob-store';
import { AppConfig, ConfigModule } from '#libs/config';
import { Database, DatabaseModule } from '#libs/database';
import {
  ConfirmService,
  type CreateUpload,
  DiffsModule,
  DownloadsModule,
  StoreJanitor,
  UploadJobsModule,
  UploadService,
  UploadsModule,
} from '#libs/files';
import { type AccountActor, Clock } from '#libs/kernel';
import { type LocatedNode, NodesModule, type Quota, QuotaLedger } from '#libs/nodes';
import { Logger, ObservabilityModule } from '#libs/observability';
import { TrashModule } from '#libs/trash';
import { VersionsModule } from '#libs/versions';

import { createTestDatabase } from '../support/services.js';

/** A clock that tests move by hand; it starts at the real time, because the store keeps that. */
export class TestClock extends Clock {
  offsetMs = 0;

  nowMs(): number {
    return Date.now() + this.offsetMs;
  }
}

/** The byte side of the core on a database and a store of its own. */
export interface BytesHarness {
  readonly app: TestingModule;
  readonly database: Database;
  readonly store: BlobStore;
  readonly clock: TestClock;
  readonly uploads: UploadService;
  readonly confirms: ConfirmService;
  readonly gate: UploadGate;
  readonly janitor: StoreJanitor;
  readonly quotas: QuotaLedger;
  readonly root: string;
  readonly databaseUrl: string;
  account(options?: { limitBytes?: number | null; companyLimitBytes?: number | null }): Promise<AccountActor>;
  /** What the relay does with a body: ask the gate, store, report. */
  put(tempName: string, body: Buffer, announced?: number | null): Promise<void>;
  /** create, put, confirm. */
  upload(actor: AccountActor, path: string, body: Buffer | string, options?: Partial<CreateUpload>): Promise<LocatedNode>;
  create(actor: AccountActor, path: string, options?: Partial<CreateUpload>): Promise<string>;
  quota(actor: AccountActor): Promise<Quota>;
  storedKeys(): Promise<string[]>;
  ledgerKeys(): Promise<string[]>;
  close(): Promise<void>;
}

export function segments(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

export async function startBytes(
  env: Record<string, string> = {},
  makeStore?: (signedUrls: SignedUrls) => Promise<BlobStore>,
  modules: NonNullable<ModuleMetadata['imports']> = [],
): Promise<BytesHarness> {
  const testDatabase = await createTestDatabase();
  const root = await mkdtemp(join(tmpdir(), 'stowage-bytes-'));
  const secretKey = randomBytes(32).toString('hex');
  const config = new AppConfig({
    DATABASE_URL: testDatabase.url,
    STOWAGE_SECRET_KEY: secretKey,
    STOWAGE_DATA_DIR: root,
    STOWAGE_BLOB_GRACE_SECONDS: '60',
    ...env,
  });
  const clock = new TestClock();
  const signedUrls = new SignedUrls({ publicUrl: 'http://localhost:1', secretKey });
  const store = makeStore ? await makeStore(signedUrls) : new FilesystemBlobStore({ root: join(root, 'blobs'), signedUrls });
  await store.prepare();
  const app = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(config),
      ObservabilityModule.forRoot(Logger.create('silent')),
      DatabaseModule.forRoot({ url: testDatabase.url, poolSize: 10, statementTimeoutMs: 60_000, applicationName: 'test' }),
      DatabaseModule,
      NodesModule,
      UploadsModule,
      UploadJobsModule,
      DownloadsModule,
      VersionsModule,
      DiffsModule,
      TrashModule,
      ...modules,
    ],
  })
    .overrideProvider(BlobStore)
    .useValue(store)
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  const database = app.get(Database);
  const uploads = app.get(UploadService);
  const confirms = app.get(ConfirmService);
  const gate = app.get(UploadGate);
  const quotas = app.get(QuotaLedger);

  const harness: BytesHarness = {
    app,
    database,
    store,
    clock,
    uploads,
    confirms,
    gate,
    janitor: app.get(StoreJanitor),
    quotas,
    root,
    databaseUrl: testDatabase.url,
    account: async ({ limitBytes = null, companyLimitBytes } = {}) => {
      let companyId: number | null = null;
      if (companyLimitBytes !== undefined) {
        const company = await database.queryOne<{ id: number }>(`INSERT INTO companies (name) VALUES ('c') RETURNING id`);
        companyId = company!.id;
        await database.run(`INSERT INTO quotas (owner_kind, owner_id, limit_bytes) VALUES ('company', $1, $2)`, [companyId, companyLimitBytes]);
      }
      const row = await database.queryOne<{ id: number }>(`INSERT INTO accounts (state, company_id) VALUES ('active', $1) RETURNING id`, [companyId]);
      await database.run(`INSERT INTO quotas (owner_kind, owner_id, limit_bytes) VALUES ('account', $1, $2)`, [row!.id, limitBytes]);
      return { kind: 'account', accountId: row!.id, companyId, role: 'user', tokenId: null };
    },
    put: async (tempName, body, announced = body.length) => {
      const key = `uploads/${tempName}`;
      const slot = await gate.open(key, announced);
      const storeKey = slot.storeKey ?? key;
      try {
        const blob = await store.put(storeKey, body, { maxBytes: slot.maxBytes });
        await gate.stored(key, blob, storeKey);
      } catch (error) {
        await gate.failed(key, storeKey);
        throw error;
      }
    },
    create: async (actor, path, options = {}) => {
      const created = await uploads.create(actor, { path: segments(path), overwrite: false, createParents: true, multipart: false, ...options });
      if (created.kind !== 'session') throw new Error('deduplicated');
      return created.tempName;
    },
    upload: async (actor, path, body, options = {}) => {
      const tempName = await harness.create(actor, path, options);
      await harness.put(tempName, Buffer.from(body));
      return confirms.confirm({ accountId: actor.accountId, tempName, actor });
    },
    quota: (actor) => quotas.get(actor.accountId),
    storedKeys: async () => {
      const keys: string[] = [];
      for await (const { key } of store.list()) keys.push(key);
      return keys.sort();
    },
    ledgerKeys: async () => {
      const rows = await database.query<{ store_key: string }>(
        `SELECT store_key FROM blobs UNION SELECT store_key FROM upload_sessions WHERE state = 'uploaded' UNION SELECT store_key FROM object_tombstones
         UNION SELECT store_key FROM derived_objects ORDER BY 1`,
      );
      return rows.map((row) => row.store_key).sort();
    },
    close: async () => {
      await app.close();
      await store.close();
      await testDatabase.drop();
      await rm(root, { recursive: true, force: true });
    },
  };
  return harness;
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
