import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import { type Client, DomainError, isDomainError } from '#libs/kernel';
import { RoomFiles, type RoomMember, Rooms } from '#libs/rooms';

import { FileSender } from '../../../blobs/file-sender.js';
import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall, CurrentClient, QueryParams, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { type FormFile, readFileForm } from '../../../http/file-form.js';
import { CurrentMember } from '../auth/holders.js';
import { endedUrl, QuicksyncTokens } from '../auth/tokens.js';
import { QuicksyncController } from '../http/controller.js';

@QuicksyncController('buckets')
export class PartsController {
  constructor(
    private readonly files: RoomFiles,
    private readonly rooms: Rooms,
    private readonly tokens: QuicksyncTokens,
    private readonly sender: FileSender,
  ) {}

  /** The body is the part, or a form with one file in it. */
  @Route('PUT', 'buckets', {
    auth: 'session',
    streams: true,
    summary: 'Bring one part of a file; headers partNumber, key and uploadId say which. The same number again replaces it',
    body: { types: ['application/octet-stream', 'multipart/form-data'], schema: { type: 'string', format: 'binary' } },
    answer: { type: 'object', properties: { tag: { type: 'string' }, partNumber: { type: 'integer', format: 'int32' } } },
    refusals: ['INVALID_ARGUMENT', 'UPLOAD_NOT_FOUND', 'UPLOAD_CLOSED', 'FORBIDDEN', 'TOO_LARGE', 'QUOTA_EXCEEDED', 'SIZE_MISMATCH'],
  })
  async put(@CurrentMember() member: RoomMember, @CurrentCall() call: DialectCall, @Req() request: Request) {
    const [fileId, uploadId, number] = ['key', 'uploadId', 'partNumber'].map((name) => headerOf(request, name));
    const part = { fileId: fileId!, uploadId: uploadId!, no: /^\d{1,9}$/.test(number!) ? Number(number) : 0 };
    Object.assign(call.about, { file: part.fileId.slice(0, 100), partNumber: part.no });
    const { tag, no } = request.is('multipart/form-data')
      ? await this.ofForm(member, part, request)
      : await this.files.putPart(member, { ...part, body: request, sizeBytes: announcedBytes(request) });
    return { tag, partNumber: no };
  }

  @Route('GET', 'buckets/content/<fileId>', {
    auth: 'public',
    summary: 'The bytes of a file, by a URL of buckets/download; ranges are served',
    query: Object.fromEntries(['session', 'member', 'pass', 'expires', 'signature'].map((name) => [name, { type: 'string' }])),
    refusals: ['FORBIDDEN', 'NODE_NOT_FOUND'],
  })
  async content(
    @Segment('fileId') fileId: string,
    @QueryParams() query: URLSearchParams,
    @CurrentClient() client: Client,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const grant = this.tokens.downloadGrant(fileId, query);
    const member = await this.rooms.enter(grant, client).catch((error: unknown) => {
      // the URL has ended with what it was made for
      throw isDomainError(error, 'UNAUTHENTICATED') || isDomainError(error, 'NODE_NOT_FOUND') ? endedUrl() : error;
    });
    const file = await this.files.open(member, grant.fileId);
    await this.sender.send(request, response, file);
  }

  private async ofForm(member: RoomMember, part: { fileId: string; uploadId: string; no: number }, request: Request) {
    const take = ({ body }: FormFile) => this.files.putPart(member, { ...part, body, sizeBytes: null });
    const {
      files: [put],
    } = await readFileForm(request, { maxFiles: 1, take });
    if (!put) throw new DomainError('INVALID_ARGUMENT', 'The form must have a file.');
    return put;
  }
}

function headerOf({ headers }: Request, name: string): string {
  const value = headers[name.toLowerCase()];
  if (typeof value !== 'string' || value === '') throw new DomainError('INVALID_ARGUMENT', `The header ${name} is missing.`);
  return value;
}

function announcedBytes({ headers }: Request): number | null {
  const length = headers['content-length'];
  if (length !== undefined) return Number(length);
  // a request with neither has no body
  return headers['transfer-encoding'] === undefined ? 0 : null;
}
