import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

import { Authenticator } from '#libs/accounts';
import { contentDisposition } from '#libs/blob-store';
import { type Actor, DomainError, isDomainError } from '#libs/kernel';
import type { Logger } from '#libs/observability';
import { PREVIEW_PATH, type PreviewAddress, PreviewLinks, Previews } from '#libs/previews';

import { answer, answerError, type Exchange, setCors, statusOf } from '../blobs/http-answer.js';
import { matchesETag } from '../blobs/http-range.js';
import { clientOf } from '../http/request-client.js';
import type { RawHandler } from '../http/server.js';
import { refusalPage, viewerPage, viewerPolicy } from './viewer-page.js';

export interface PreviewHandlerParts {
  readonly previews: Previews;
  readonly links: PreviewLinks;
  readonly authenticator: Authenticator;
  readonly publicUrl: string;
  readonly logger?: Logger;
  readonly onBytes?: (bytes: number) => void;
}

/** Longest time that a picture is waited for; pages hold many pictures. */
const WAIT_MS = 5_000;
const VIEW = 'view';

/**
 * Serves signed URLs of previews and of the page that shows documents. A URL names who looks at what, and no more: the token it came from must still
 * live, and its holder must still have the right, at each fetch.
 */
export function createPreviewHandler(parts: PreviewHandlerParts): RawHandler {
  return (req, res, continuePending = false) => {
    if (!req.url?.startsWith(PREVIEW_PATH)) return false;
    return serve(parts, { req, res, continuePending }, req.url);
  };
}

async function serve(parts: PreviewHandlerParts, exchange: Exchange, target: string): Promise<true> {
  const { req, res } = exchange;
  setCors(res);
  if (req.method === 'OPTIONS') {
    res.setHeader('Access-Control-Max-Age', '1728000');
    res.statusCode = 204;
    res.end();
    return true;
  }
  let address: PreviewAddress | undefined;
  try {
    if (req.method !== 'GET' && req.method !== 'HEAD') throw new DomainError('FORBIDDEN', 'This URL is only read.');
    address = parts.links.verify(target);
    const { viewer } = address;
    const actor = viewer.kind === 'guest' ? viewer : await parts.authenticator.byUrl(viewer.accountId, viewer.tokenId, clientOf(req));
    if (address.kind === VIEW) await servePage(parts, exchange, actor, address, target.slice(target.indexOf('?')));
    else await servePicture(parts, exchange, actor, address);
  } catch (error) {
    report(parts.logger, req, error);
    if (address?.kind === VIEW && !res.headersSent && isDomainError(error)) refuse(parts, exchange, error);
    else answerError(exchange, error);
  }
  return true;
}

async function servePicture({ previews, onBytes }: PreviewHandlerParts, exchange: Exchange, actor: Actor, address: PreviewAddress): Promise<void> {
  const { req, res } = exchange;
  const { nodeId, versionNo, kind } = address;
  const { node, contentType, sizeBytes, etag, body } = await previews.open(actor, { id: nodeId }, { versionNo, kind, waitMs: WAIT_MS });
  const tag = `"${etag}"`;
  res.setHeader('ETag', tag);
  // kept by its reader, who asks each time: a right that was withdrawn ends also what is kept
  res.setHeader('Cache-Control', 'private, no-cache');
  res.setHeader('Content-Security-Policy', "sandbox; default-src 'none'");
  const known = req.headers['if-none-match'];
  if (known !== undefined && matchesETag(known, tag, true)) {
    res.statusCode = 304;
    res.end();
    return;
  }
  res.setHeader('Content-Type', contentType);
  res.setHeader('Content-Disposition', contentDisposition('inline', `${node.name}${contentType === 'application/pdf' ? '.pdf' : '.jpg'}`));
  if (sizeBytes !== null) res.setHeader('Content-Length', sizeBytes);
  res.statusCode = 200;
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  await send(await body(), res);
  onBytes?.(sizeBytes ?? 0);
}

async function send(body: NodeJS.ReadableStream, res: ServerResponse): Promise<void> {
  try {
    await pipeline(body, res);
  } catch {
    // the reader left, or the store broke off: either way there is nobody left to tell
    res.destroy();
  }
}

async function servePage(parts: PreviewHandlerParts, exchange: Exchange, actor: Actor, address: PreviewAddress, query: string): Promise<void> {
  const view = await parts.previews.view(actor, { id: address.nodeId }, { versionNo: address.versionNo, waitMs: WAIT_MS });
  sendPage(parts, exchange, 200, viewerPage(view, query));
}

function refuse(parts: PreviewHandlerParts, exchange: Exchange, error: DomainError): void {
  const status = statusOf(error);
  sendPage(parts, exchange, status, refusalPage(status === 500 ? 'Something went wrong on the server.' : error.message));
}

function sendPage({ publicUrl }: PreviewHandlerParts, exchange: Exchange, status: number, page: string): void {
  exchange.res.setHeader('Content-Security-Policy', viewerPolicy(new URL(publicUrl).origin));
  exchange.res.removeHeader('X-Frame-Options');
  answer(exchange, status, exchange.req.method === 'HEAD' ? '' : page, 'text/html; charset=utf-8');
}

function report(logger: Logger | undefined, req: IncomingMessage, error: unknown): void {
  const fields = { error, method: req.method, path: req.url?.split('?')[0] };
  if (statusOf(error) >= 500) logger?.error('a preview could not be served', fields);
  else logger?.debug('a preview was refused', fields);
}
