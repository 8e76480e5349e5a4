import { pipeline } from 'node:stream/promises';

import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';

import { contentDisposition } from '#libs/blob-store';
import { type Actor, DomainError } from '#libs/kernel';
import type { NodeRef } from '#libs/nodes';
import { Previews } from '#libs/previews';

import { etagHeader } from '../presenters/etag.js';

const SIZES = ['small', 'middle', 'preview', 'pdf'];

/** Answers a call with the bytes of a preview. */
@Injectable()
export class PreviewSender {
  constructor(private readonly previews: Previews) {}

  /** As Previews.open; INVALID_ARGUMENT for an unknown size. */
  async send(
    actor: Actor,
    node: NodeRef,
    wanted: { readonly size?: string; readonly version?: number },
    request: Request,
    response: Response,
  ): Promise<void> {
    const kind = wanted.size || 'small';
    if (!SIZES.includes(kind)) throw new DomainError('INVALID_ARGUMENT', 'The parameter "size" is small, middle or preview.');
    const preview = await this.previews.open(actor, node, { versionNo: wanted.version || undefined, kind });
    const etag = etagHeader(preview.etag);
    response.set({ ETag: etag, 'Cache-Control': 'private, no-cache', 'Content-Security-Policy': "sandbox; default-src 'none'" });
    if (request.get('if-none-match')?.includes(etag)) {
      response.status(304).end();
      return;
    }
    const ending = preview.contentType === 'application/pdf' ? 'pdf' : 'jpg';
    response.set({ 'Content-Type': preview.contentType, 'Content-Disposition': contentDisposition('inline', `${preview.node.name}.${ending}`) });
    if (preview.sizeBytes !== null) response.set('Content-Length', String(preview.sizeBytes));
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    // a reader who leaves, or a store that breaks off, ends the answer in the middle
    await pipeline(await preview.body(), response).catch(() => response.destroy());
  }
}
