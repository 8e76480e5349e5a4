import { afterAll, beforeAll, expect, it } from 'vitest';

import { S3BlobStore } from '#libs/blob-store';
import { DownloadService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { createTestBucket, type TestBucket } from '../support/services.js';
import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

const PART_BYTES = 5 * 1024 * 1024;
let bucket: TestBucket;
let h: BytesHarness;
let actor: AccountActor;

beforeAll(async () => {
  bucket = await createTestBucket();
  h = await startBytes({}, (signedUrls) => Promise.resolve(new S3BlobStore({ ...bucket, forcePathStyle: true, signedUrls })));
  actor = await h.account();
});
afterAll(async () => {
  await h?.close();
  await bucket?.drop();
});

it('a file goes to S3 and comes back by a signed URL of the store, to which our own one leads', async () => {
  const node = await h.upload(actor, '/s3/file.txt', 'bytes in a bucket');
  const { url } = await h.app.get(DownloadService).link(actor, { node: { id: node.id }, inline: false, includeRemoved: false });
  const key = new URL(url).pathname.slice('/blobs/'.length);
  expect(await h.ledgerKeys()).toContain(key);
  const direct = await h.store.directGet({ key, contentType: 'text/plain', fileName: 'file.txt', disposition: 'attachment', expiresInSeconds: 5 });
  const response = await fetch(direct!);
  expect(await response.text()).toBe('bytes in a bucket');
  expect(response.headers.get('content-disposition')).toContain('attachment');
});

it('parts go straight to S3 and are put together once, however many confirm', async () => {
  const created = await h.uploads.create(actor, { path: ['s3', 'parts'], overwrite: false, createParents: true, multipart: true });
  if (created.kind !== 'session') throw new Error('deduplicated');
  const bodies = [Buffer.alloc(PART_BYTES, 1), Buffer.alloc(7, 2)];
  for (const [index, body] of bodies.entries()) {
    const { url, method, headers } = await h.uploads.createPart(actor, { tempPath: created.tempPath!, partNumber: index + 1 });
    expect((await fetch(url, { method, headers, body })).status).toBe(200);
  }
  const confirm = () => h.confirms.confirm({ accountId: actor.accountId, tempName: created.tempName, actor });
  const nodes = await Promise.all([confirm(), confirm(), confirm(), confirm()]);
  expect(nodes.map((node) => [node.id, node.versionNo, node.sizeBytes])).toEqual(nodes.map(() => [nodes[0].id, 1, PART_BYTES + 7]));
});

it('abandoned uploads and parts leave neither objects nor multipart uploads', async () => {
  const parts = await h.uploads.create(actor, { path: ['s3', 'left parts'], overwrite: false, createParents: true, multipart: true });
  if (parts.kind !== 'session') throw new Error('deduplicated');
  const { url, headers } = await h.uploads.createPart(actor, { tempPath: parts.tempPath!, partNumber: 1 });
  await fetch(url, { method: 'PUT', headers, body: 'part' });
  await h.put(await h.create(actor, '/s3/left whole'), Buffer.from('left'));
  h.clock.offsetMs += 2 * 86_400_000;
  await h.janitor.reapUploads();
  await h.janitor.deleteTombstones();
  const multiparts: string[] = [];
  for await (const { key } of h.store.listMultiparts()) multiparts.push(key);
  expect(multiparts).toEqual([]);
  expect(await h.storedKeys()).toEqual(await h.ledgerKeys());
  expect(await codeOf(h.confirms.confirm({ accountId: actor.accountId, tempName: parts.tempName, actor }))).toBe('UPLOAD_NOT_FOUND');
});
