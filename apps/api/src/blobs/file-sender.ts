import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blob-store';
import type { OpenedFile } from '#libs/files';
import { Logger, Metrics } from '#libs/observability';

import { serveDownload } from './blob-download.js';

/** Sends the bytes of files from this process, for APIs whose clients do not follow a redirect: ranges, ETag and headers as at signed URLs. */
@Injectable()
export class FileSender {
  constructor(
    private readonly store: BlobStore,
    private readonly metrics: Metrics,
    private readonly logger: Logger,
  ) {}

  /** Answers the request whole; the bytes that have left, also of an answer that broke off. Throws before the first byte only; the reader's right has been asked by whoever opened the file. */
  async send(
    request: IncomingMessage,
    response: ServerResponse,
    { node, version }: OpenedFile,
    disposition: 'attachment' | 'inline' = 'attachment',
  ): Promise<number> {
    const grant = {
      kind: 'GET' as const,
      key: version.storeKey,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      fileName: node.name,
      contentType: version.mimeType,
      disposition,
      etag: version.md5,
    };
    const { socket } = response;
    const before = socket?.bytesWritten ?? 0;
    const whole = await serveDownload(this.store, { req: request, res: response, continuePending: false }, grant, this.logger);
    this.metrics.bytes('out', whole);
    return response.destroyed && !response.writableFinished ? Math.max(whole, (socket?.bytesWritten ?? 0) - before) : whole;
  }
}
