import type { INestApplication } from '@nestjs/common';

import { Authenticator } from '#libs/accounts';
import { BlobStore, DownloadGate, SignedUrls, UploadGate } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { Logger, Metrics } from '#libs/observability';
import { PreviewLinks, Previews } from '#libs/previews';

import { createBlobHandler } from './blobs/blob-handler.js';
import type { RawHandler } from './http/server.js';
import { createPreviewHandler } from './viewer/preview-handler.js';

/** The handler of signed blob URLs with the parts of the application that it needs. */
export function blobHandlerOf(app: INestApplication): RawHandler {
  const metrics = app.get(Metrics);
  return createBlobHandler({
    store: app.get(BlobStore),
    signedUrls: app.get(SignedUrls),
    uploads: app.get(UploadGate),
    downloads: app.get(DownloadGate),
    logger: app.get(Logger),
    onBytes: (direction, bytes) => metrics.bytes(direction, bytes),
  });
}

/** The handler of signed preview URLs. */
export function previewHandlerOf(app: INestApplication): RawHandler {
  const metrics = app.get(Metrics);
  return createPreviewHandler({
    previews: app.get(Previews),
    links: app.get(PreviewLinks),
    authenticator: app.get(Authenticator),
    publicUrl: app.get(AppConfig).http.publicUrl,
    logger: app.get(Logger),
    onBytes: (bytes) => metrics.bytes('out', bytes),
  });
}
