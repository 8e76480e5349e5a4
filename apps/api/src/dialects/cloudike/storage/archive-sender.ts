import { pipeline } from 'node:stream/promises';

import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';

import type { ArchiveDownload } from '#libs/archives';
import { contentDisposition } from '#libs/blob-store';
import { Logger } from '#libs/observability';

import { resolveRange } from '../../../blobs/http-range.js';

/** Gives archives out over HTTP: exact length, one range, resume with If-Range. */
@Injectable()
export class ArchiveSender {
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger.with({ part: 'archives' });
  }

  /** Answers the request. `mayResume`: a part may be given without If-Range, because the client can only have parts of this very archive. */
  async send(request: Request, response: Response, archive: ArchiveDownload, mayResume: boolean): Promise<void> {
    const { totalBytes, fileName } = archive;
    const etag = `"${archive.etag}"`;
    response.setHeader('ETag', etag);
    response.setHeader('Accept-Ranges', 'bytes');
    response.setHeader('Content-Disposition', contentDisposition('attachment', fileName));
    response.setHeader('Content-Security-Policy', "sandbox; default-src 'none'");
    const ifRange = request.headers['if-range']?.toString().trim();
    const rangeIsWanted = ifRange === undefined ? mayResume : ifRange === etag;
    const range = rangeIsWanted ? resolveRange(request.headers.range, totalBytes) : null;
    if (range === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${totalBytes}`);
      response.setHeader('Content-Length', 0);
      response.status(416).end();
      return;
    }
    if (range) response.setHeader('Content-Range', `bytes ${range.start}-${range.endInclusive}/${totalBytes}`);
    response.setHeader('Content-Type', 'application/zip');
    response.setHeader('Content-Length', range ? range.endInclusive - range.start + 1 : totalBytes);
    response.status(range ? 206 : 200);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    // The client may have left while the archive was laid out; then nothing is read.
    if (!response.destroyed) await this.pump(archive, range ?? undefined, response);
  }

  private async pump(archive: ArchiveDownload, range: { start: number; endInclusive: number } | undefined, response: Response): Promise<void> {
    const body = await archive.stream(range);
    let failure: Error | undefined;
    body.once('error', (error) => (failure = error));
    try {
      await pipeline(body, response);
    } catch (error) {
      // A client that leaves is no fault of ours; a store that breaks is, and shows by a download that ends too early.
      if (failure && (failure as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') this.logger.error('an archive broke off', { error });
      response.destroy();
    }
  }
}
