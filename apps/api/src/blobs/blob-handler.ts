import type { IncomingMessage, ServerResponse } from 'node:http';
import { BLOB_PATH, type BlobStore, type SignedUrls, type UploadGate } from '#libs/blob-store';
import { DomainError } from '#libs/kernel';
import type { Logger } from '#libs/observability';
import { serveDownload } from './blob-download.js';
import { takeObject, takePart } from './blob-upload.js';
import { answerError, type Exchange, setCors, statusOf } from './http-answer.js';

export interface BlobHandlerOptions {
  readonly store: BlobStore;
  readonly signedUrls: SignedUrls;
  readonly uploads: UploadGate;
  readonly logger?: Logger;
  /** Told the body bytes of each finished transfer, for metrics. */
  readonly onBytes?: (direction: 'in' | 'out', bytes: number) => void;
}

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

async function serve({ store, signedUrls, uploads, logger, onBytes }: BlobHandlerOptions, exchange: Exchange, target: string): Promise<true> {
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
        ? await serveDownload(store, exchange, grant, logger)
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

function report(logger: Logger | undefined, { req }: Exchange, error: unknown): void {
  const fields = { error, method: req.method, path: req.url?.split('?')[0] };
  if (req.destroyed && !req.complete) logger?.debug('sender left before the end', fields);
  else if (statusOf(error) >= 500) logger?.error('blob request failed', fields);
  else logger?.debug('blob request refused', fields);
}
