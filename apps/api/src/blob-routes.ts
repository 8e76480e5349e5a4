import type { INestApplication } from '@nestjs/common';

import { BlobStore, SignedUrls, UploadGate } from '#libs/blob-store';
import { Logger, Metrics } from '#libs/observability';

import { createBlobHandler } from './blobs/blob-handler.js';
import type { RawHandler } from './http/server.js';

/** The handler of signed blob URLs with the parts of the application that it needs. */
export function blobHandlerOf(app: INestApplication): RawHandler {
  const metrics = app.get(Metrics);
  return createBlobHandler({
    store: app.get(BlobStore),
    signedUrls: app.get(SignedUrls),
    uploads: app.get(UploadGate),
    logger: app.get(Logger),
    onBytes: (direction, bytes) => metrics.bytes(direction, bytes),
  });
}
