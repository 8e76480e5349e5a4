import { pipeline } from 'node:stream/promises';

import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';

import { contentDisposition } from '#libs/blob-store';
import { DeclaredTypes } from '#libs/file-access';
import { DownloadService } from '#libs/files';
import type { Actor } from '#libs/kernel';
import { Sealing } from '#libs/sealing';

import { FileSender } from '../../../blobs/file-sender.js';
import { clientAddress } from '../../../http/client-address.js';
import { invalid } from '../http/input.js';

export interface WantedBytes {
  readonly id: string;
  /** False: the file comes whole, which is the only way for one that is sealed. */
  readonly stream: boolean;
  readonly passphrase: string | undefined;
}

/** Sends files as both download routes do (contract K10). */
@Injectable()
export class ByteSender {
  constructor(
    private readonly downloads: DownloadService,
    private readonly sealing: Sealing,
    private readonly sender: FileSender,
    private readonly types: DeclaredTypes,
  ) {}

  /** As DownloadService.open; INVALID_ARGUMENT for a sealed file that is asked for in a way that cannot open it, PASSPHRASE_WRONG, RATE_LIMITED. */
  async send(
    actor: Actor,
    { id, stream, passphrase }: WantedBytes,
    { request, response }: { readonly request: Request; readonly response: Response },
    counted: <T>(work: () => Promise<T>) => Promise<T> = (work) => work(),
  ): Promise<void> {
    const wanted = { node: { id }, includeRemoved: false };
    const looked = await this.downloads.open(actor, { ...wanted, inline: true });
    const isSealed = await this.sealing.isSealed(looked.version);
    if (isSealed && stream) throw invalid('stream mode is not supported for encrypted downloads');
    if (isSealed && passphrase === undefined) throw invalid('Passphrase header is required for encrypted files');
    const opened = isSealed ? await this.sealing.open(looked.version, passphrase, clientAddress(request)) : null;
    // Only whoever takes the bytes has downloaded the file.
    const take = () => counted(() => this.downloads.open(actor, { ...wanted, inline: false }));
    const file = await (request.method === 'HEAD' ? Promise.resolve(looked) : take()).catch((error: unknown) => {
      opened?.body.destroy();
      throw error;
    });
    const contentType = (await this.types.of([file.node])).get(id)!;
    if (!opened) {
      await this.sender.send(request, response, { ...file, version: { ...file.version, mimeType: contentType } });
      return;
    }
    response.setHeader('Content-Type', contentType);
    response.setHeader('Content-Disposition', contentDisposition('attachment', file.node.name));
    response.setHeader('Content-Length', opened.sizeBytes);
    response.setHeader('Content-Security-Policy', "sandbox; default-src 'none'");
    if (request.method === 'HEAD') {
      opened.body.destroy();
      response.end();
      return;
    }
    // Headers are out by the time that it can fail: the connection says so.
    await pipeline(opened.body, response).catch(() => response.destroy());
  }
}
