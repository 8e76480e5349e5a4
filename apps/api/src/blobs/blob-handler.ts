import type { IncomingMessage, ServerResponse } from 'node:http';
import { BLOB_PATH, type BlobGrant, type BlobStore, type DownloadGate, type SignedUrls, type UploadGate } from '#libs/blob-store';
import { DomainError } from '#libs/kernel';
import type { Logger } from '#libs/observability';
import { clientOf } from '../http/request-client.js';
import { serveDownload } from './blob-download.js';
import { takeObject, takePart } from './blob-upload.js';
import { answerError, type Exchange, setCors, statusOf } from './http-answer.js';

export interface BlobHandlerOptions {
  readonly store: BlobStore;
  readonly signedUrls: SignedUrls;
  readonly uploads: UploadGate;
  /** Judges URLs that were made for somebody, at each use; without it none of them is served. */
  readonly downloads?: DownloadGate;
  readonly logger?: Logger;
  /** Told the body bytes of each finished transfer, for metrics. */
  readonly onBytes?: (direction: 'in' | 'out', bytes: number) => void;
}

/** How long a redirect to the store works: long enough for a slow client to follow it, and for clocks that are a little apart. */
const DIRECT_SECONDS = 5;

/**
 * Serves a request below `/blobs/` and resolves when it is answered; false, at once, for any other path. Never rejects.
 * `continuePending` says that the sender waits for `100 Continue`, which is then sent only once the upload is let in. Uploads may take hours, so the
 * server must not limit the duration of a request; silent senders are cut off here.
 */
export type BlobHandler = (req: IncomingMessage, res: ServerResponse, continuePending?: boolean) => false | Promise<true>;

/** The handler of signed blob URLs: plain node, because Express would cost more than the rest of a small transfer. */
export function createBlobHandler(options: BlobHandlerOptions): BlobHandler {
  return (req, res, continuePending = false) => {
    if (req.url === undefined || !req.url.startsWith(BLOB_PATH)) return false;
    return serve(options, { req, res, continuePending }, req.url);
  };
}

async function serve(options: BlobHandlerOptions, exchange: Exchange, target: string): Promise<true> {
  const { store, signedUrls, uploads, logger, onBytes } = options;
  const { req, res } = exchange;
  const method = req.method ?? '';
  setCors(res);
  res.setHeader('X-Content-Type-Options', 'nosniff');
  if (method === 'OPTIONS') {
    res.setHeader('Access-Control-Max-Age', '1728000');
    res.statusCode = 204;
    res.end();
    return true;
  }
  try {
    const grant = signedUrls.verify(method, target);
    const bytes =
      grant.kind === 'GET'
        ? await download(options, exchange, grant)
        : grant.kind === 'PART'
          ? await takePart(store, exchange, grant)
          : await takeObject({ store, uploads, log: logger }, exchange, grant);
    onBytes?.(grant.kind === 'GET' ? 'out' : 'in', bytes);
  } catch (error) {
    report(logger, exchange, error);
    if (req.destroyed && !req.complete) res.destroy();
    else answerError(exchange, error instanceof Error ? error : new DomainError('INTERNAL', String(error)));
  }
  return true;
}

/** Lets bytes out: those of a store that clients reach themselves by a redirect whose target works for a moment only. */
async function download({ store, downloads, logger }: BlobHandlerOptions, exchange: Exchange, grant: BlobGrant): Promise<number> {
  const { req, res } = exchange;
  if (grant.pass !== undefined) {
    if (downloads === undefined) throw new DomainError('FORBIDDEN', 'This URL is not served here.');
    await downloads.judge(grant.pass, clientOf(req));
    const { key, fileName = '', contentType = 'application/octet-stream', disposition = 'attachment' } = grant;
    const direct =
      req.method === 'HEAD' ? null : await store.directGet({ key, fileName, contentType, disposition, expiresInSeconds: DIRECT_SECONDS });
    if (direct !== null) {
      res.statusCode = 302;
      res.setHeader('Location', direct);
      res.setHeader('Cache-Control', 'private, no-store');
      res.setHeader('Content-Length', 0);
      res.end();
      return 0;
    }
  }
  return serveDownload(store, exchange, grant, logger);
}

function report(logger: Logger | undefined, { req }: Exchange, error: unknown): void {
  const fields = { error, method: req.method, path: req.url?.split('?')[0] };
  if (req.destroyed && !req.complete) logger?.debug('sender left before the end', fields);
  else if (statusOf(error) >= 500) logger?.error('blob request failed', fields);
  else logger?.debug('blob request refused', fields);
}
