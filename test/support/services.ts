import { randomBytes } from 'node:crypto';

import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import pg from 'pg';

/** Value of a variable that the test runner sets; an error that names the right command when it is missing. */
function given(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(`${name} is not set: run this through "npm test", or "npm test -- --only integration -- FILE" for one file`);
}

/** What can be used in this run. Redis, S3 and a browser may be missing on systems other than Debian; PostgreSQL always is there. */
export const available = {
  redis: Boolean(process.env.STOWAGE_TEST_REDIS_URL),
  s3: Boolean(process.env.STOWAGE_TEST_S3_ENDPOINT),
  browser: Boolean(process.env.STOWAGE_TEST_CHROMIUM),
  ldap: Boolean(process.env.STOWAGE_TEST_SLAPD),
};

/** Programs that make previews, as far as this system has them: then the tests show what they make, else what is said without them. */
export const previewPrograms = JSON.parse(process.env.STOWAGE_TEST_PREVIEW_PROGRAMS || '{}') as Readonly<
  Partial<Record<'pdftoppm' | 'ffmpeg' | 'ffprobe' | 'soffice', string>>
>;

/** The first administrator, who is in every test database. */
export function adminCredentials(): { email: string; password: string } {
  return { email: given('STOWAGE_TEST_ADMIN_EMAIL'), password: given('STOWAGE_TEST_ADMIN_PASSWORD') };
}

export interface TestDatabase {
  /** Connection string of the application's role, which owns the database and is no superuser. */
  readonly url: string;
  /** Connection string of the superuser to the same database. */
  readonly adminUrl: string;
  /** Removes the database; open connections are ended. */
  drop(): Promise<void>;
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.toString();
}

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: given('STOWAGE_TEST_PG_URL') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** A database of its own: a copy of the migrated template that holds the first administrator. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `t_${process.pid}_${randomBytes(6).toString('hex')}`;
  await asAdmin(`CREATE DATABASE ${name} TEMPLATE ${given('STOWAGE_TEST_TEMPLATE_DB')} OWNER stowage`);
  return {
    url: withDatabase(given('STOWAGE_TEST_PG_APP_URL'), name),
    adminUrl: withDatabase(given('STOWAGE_TEST_PG_URL'), name),
    drop: () => asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** URL of an empty Redis database that no other test of this run has. */
export async function testRedisUrl(): Promise<string> {
  const server = given('STOWAGE_TEST_REDIS_URL');
  const client = new Redis(server);
  try {
    const [, databases] = (await client.config('GET', 'databases')) as [string, string];
    const turn = await client.incr('stowage-test-databases');
    const database = 1 + ((turn - 1) % (Number(databases) - 1));
    await client.select(database);
    await client.flushdb();
    const url = new URL(server);
    url.pathname = `/${database}`;
    return url.toString();
  } finally {
    client.disconnect();
  }
}

export interface TestBucket {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The same as the variables of api and worker. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes the bucket and every object in it. */
  drop(): Promise<void>;
}

/** An empty bucket of its own on the S3 server of this run. */
export async function createTestBucket(): Promise<TestBucket> {
  const endpoint = given('STOWAGE_TEST_S3_ENDPOINT');
  const accessKeyId = given('STOWAGE_TEST_S3_ACCESS_KEY_ID');
  const secretAccessKey = given('STOWAGE_TEST_S3_SECRET_ACCESS_KEY');
  const region = 'us-east-1';
  const bucket = `t-${randomBytes(8).toString('hex')}`;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    endpoint,
    region,
    bucket,
    accessKeyId,
    secretAccessKey,
    env: { S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey },
    drop: async () => {
      await emptyBucket(client, bucket);
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
      client.destroy();
    },
  };
}

async function emptyBucket(client: S3Client, bucket: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    if (Contents.length === 0) return;
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })), Quiet: true } }));
  }
}
