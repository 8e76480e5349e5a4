import { createHash } from 'node:crypto';
import { type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BlobGrant, type BlobStore, contentDisposition } from '#libs/blob-store';
import { DomainError, isDomainError } from '#libs/kernel';
import type { Logger } from '#libs/observability';
import { answer, type Exchange } from './http-answer.js';
import { matchesETag, resolveRange } from './http-range.js';

/** Serves GET and HEAD of a signed URL: single ranges, ETag, If-None-Match, If-Match, If-Range. Returns the body bytes handed to the socket. */
export async function serveDownload(store: BlobStore, exchange: Exchange, grant: BlobGrant, log: Logger | undefined): Promise<number> {
  const { req, res } = exchange;
  const head = await store.head(grant.key);
  if (head === null) throw new DomainError('NODE_NOT_FOUND', 'This file is gone');
  // A committed key is never written again, so that the key itself is a strong validator where no checksum is known.
  const etag = `"${grant.etag ?? head.etagMd5 ?? createHash('sha256').update(grant.key).digest('hex').slice(0, 32)}"`;
  res.setHeader('ETag', etag);
  res.setHeader('Accept-Ranges', 'bytes');
  res.setHeader('Cache-Control', 'private, no-cache');
  res.setHeader('Content-Disposition', dispositionOf(grant));
  res.setHeader('Content-Security-Policy', "sandbox; default-src 'none'");

  const { 'if-none-match': noneMatch, 'if-match': match, 'if-range': ifRange, range: rangeHeader } = req.headers;
  if (match !== undefined && !matchesETag(match, etag, false)) return finish(exchange, 412);
  if (noneMatch !== undefined && matchesETag(noneMatch, etag, true)) return finish(exchange, 304);
  const range = ifRange !== undefined && String(ifRange).trim() !== etag ? null : resolveRange(rangeHeader, head.sizeBytes);
  if (range === 'unsatisfiable') {
    res.setHeader('Content-Range', `bytes */${head.sizeBytes}`);
    return finish(exchange, 416);
  }
  const { start, endInclusive } = range ?? { start: 0, endInclusive: head.sizeBytes - 1 };
  const length = endInclusive - start + 1;
  if (range !== null) res.setHeader('Content-Range', `bytes ${start}-${endInclusive}/${head.sizeBytes}`);
  res.setHeader('Content-Type', headerSafe(grant.contentType));
  res.setHeader('Content-Length', length);
  res.statusCode = range === null ? 200 : 206;
  if (req.method === 'HEAD' || length === 0) {
    res.end();
    return 0;
  }
  return sendBody(await bodyOf(store, grant.key, start, endInclusive), exchange, length, log);
}

async function bodyOf(store: BlobStore, key: string, start: number, endInclusive: number): Promise<Readable> {
  try {
    return await store.getRange(key, { start, endInclusive });
  } catch (error) {
    // Deleted between the two calls.
    if (isDomainError(error, 'STORAGE_UNAVAILABLE') && error.details['missing'] === true)
      throw new DomainError('NODE_NOT_FOUND', 'This file is gone');
    throw error;
  }
}

async function sendBody(body: Readable, { req, res }: Exchange, length: number, log: Logger | undefined): Promise<number> {
  let failed: Error | null = null;
  body.once('error', (error) => (failed = error));
  try {
    await pipeline(body, res);
    return length;
  } catch (error) {
    // A client may close as soon as it has the last byte, or leave in the middle: neither is a fault of ours. A store that broke is.
    if (failed !== null && !res.destroyed) log?.error('blob read failed', { error, path: req.url?.split('?')[0] });
    res.destroy();
    return 0;
  }
}

function finish(exchange: Exchange, status: number): number {
  if (status === 304) {
    exchange.res.statusCode = status;
    exchange.res.end();
  } else answer(exchange, status);
  return 0;
}

function dispositionOf({ disposition = 'attachment', fileName }: BlobGrant): string {
  return fileName === undefined ? disposition : contentDisposition(disposition, fileName);
}

function headerSafe(contentType: string | undefined): string {
  return contentType !== undefined && /^[\x20-\x7e]+$/.test(contentType) ? contentType : 'application/octet-stream';
}
