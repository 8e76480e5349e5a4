import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import { BucketDownloads, type BucketHolder, BucketTokens } from '#libs/buckets';
import { type Client, DomainError } from '#libs/kernel';

import { FileSender } from '../../../blobs/file-sender.js';
import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall, CurrentClient, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { Bearer } from '../auth/bearer.js';
import { MediasaurController } from '../http/controller.js';
import { type Fields, QueryFields, textOf } from '../http/fields.js';

@MediasaurController('bytes')
export class MediaController {
  constructor(
    private readonly downloads: BucketDownloads,
    private readonly tokens: BucketTokens,
    private readonly bearer: Bearer,
    private readonly sender: FileSender,
  ) {}

  @Route('GET', 'media/<bucket_id>/<path>', {
    auth: 'public',
    summary: 'The bytes of a file: of a public one for everybody, else with the key, or with the token of a signed url; ranges are served',
    query: { token: { type: 'string' } },
    refusals: ['UNAUTHENTICATED', 'NODE_NOT_FOUND', 'FORBIDDEN', 'QUOTA_EXCEEDED'],
  })
  async send(
    @CurrentCall() call: DialectCall,
    @CurrentClient() client: Client,
    @Segment('bucket_id') bucketId: string,
    @QueryFields() query: Fields,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { holder, fileId } = await this.asker(textOf(query, 'token'), request.headers.authorization, client);
    call.actor = holder?.actor ?? null;
    const file = await this.downloads.open(holder, bucketId, call.tail);
    // the url of a file that has moved is another file's now, or nobody's
    if (fileId !== null && fileId !== file.node.id) throw new DomainError('NODE_NOT_FOUND', 'The file was not found.');
    await this.downloads.count(file.bucketId, await this.sender.send(request, response, file, 'inline'));
  }

  private async asker(
    token: string | undefined,
    header: string | undefined,
    client: Client,
  ): Promise<{ holder: BucketHolder | null; fileId: string | null }> {
    if (token !== undefined) return this.tokens.openDownload(token, client);
    return { holder: header === undefined ? null : await this.bearer.byKey({ header, client }), fileId: null };
  }
}
