import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilesystemBlobStore, S3BlobStore, SignedUrls, UploadGate } from '#libs/blob-store';
import { createBlobHandler } from '../../apps/api/src/blobs/blob-handler.js';
import { describeBlobStore, listen } from '../support/blob-store-contract.js';
import { createTestBucket } from '../support/services.js';

const secretKey = 'a secret for the blob store contract';

/** Lets everything in: the contract is about the store. */
class OpenGate extends UploadGate {
  override open(): Promise<{ maxBytes: number }> {
    return Promise.resolve({ maxBytes: Number.MAX_SAFE_INTEGER });
  }
  override stored(): Promise<void> {
    return Promise.resolve();
  }
  override failed(): Promise<void> {
    return Promise.resolve();
  }
}

describeBlobStore('filesystem', async () => {
  const server = await listen();
  const root = await mkdtemp(join(tmpdir(), 'stowage-blobs-'));
  const signedUrls = new SignedUrls({ publicUrl: server.url, secretKey });
  const store = new FilesystemBlobStore({ root, signedUrls });
  server.handle(createBlobHandler({ store, signedUrls, uploads: new OpenGate() }));
  return {
    store,
    close: async () => {
      await server.close();
      await store.close();
      await rm(root, { recursive: true });
    },
  };
});

describeBlobStore('s3', async () => {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey, drop } = await createTestBucket();
  const signedUrls = new SignedUrls({ publicUrl: 'http://127.0.0.1:1', secretKey });
  const store = new S3BlobStore({ endpoint, region, bucket, accessKeyId, secretAccessKey, forcePathStyle: true, signedUrls });
  return {
    store,
    close: async () => {
      for await (const { key, uploadId } of store.listMultiparts()) await store.abortMultipart(key, uploadId);
      await store.close();
      await drop();
    },
  };
});
