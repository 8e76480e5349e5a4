import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import pg from 'pg';
import { describe, expect, it } from 'vitest';

import { createTestBucket, createTestDatabase, testRedisUrl } from '../support/services.js';

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

describe('services of the test run', () => {
  it('gives every caller a migrated database of its own, owned by a role without superuser rights', async () => {
    const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await query(one.url, 'CREATE TABLE only_here (id int)');
    expect(await query(other.url, `SELECT to_regclass('only_here') AS found`)).toEqual([{ found: null }]);
    expect(await query(one.url, `SELECT to_regclass('schema_migrations') IS NOT NULL AS migrated`)).toEqual([{ migrated: true }]);
    expect(await query(one.url, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toEqual([{ rolsuper: false }]);
    await Promise.all([one.drop(), other.drop()]);
    await expect(query(one.url, 'SELECT 1')).rejects.toThrow(/does not exist/);
  });

  it('gives every caller an empty Redis database of its own', async () => {
    const [one, other] = (await Promise.all([testRedisUrl(), testRedisUrl()])).map((url) => new Redis(url));
    await one?.set('key', 'value');
    expect(await other?.dbsize()).toBe(0);
    expect(await one?.dbsize()).toBe(1);
    one?.disconnect();
    other?.disconnect();
  });

  it('gives every caller a bucket of its own on a real S3 server', async () => {
    const bucket = await createTestBucket();
    const { endpoint, region, accessKeyId, secretAccessKey } = bucket;
    const client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    await client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key: 'folder/a b.txt', Body: 'bytes' }));
    const read = await client.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: 'folder/a b.txt' }));
    expect(await read.Body?.transformToString()).toBe('bytes');
    await bucket.drop();
    await expect(client.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: 'folder/a b.txt' }))).rejects.toThrow();
    client.destroy();
  });
});
