import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import { FileDoor } from '#libs/file-access';
import type { Client } from '#libs/kernel';
import { Sealing } from '#libs/sealing';

import { CurrentClient, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { ByteSender } from '../files/byte-sender.js';
import { secretOf } from '../files/file-key.js';
import { KoneksiController } from '../http/controller.js';
import { answerOf, envelope } from '../http/envelope.js';
import { fileId, flag, Header, Query } from '../http/input.js';

const TEXT = { type: 'string' };
const NOT_FOUND = { NODE_NOT_FOUND: [404, 'file not found'] } as const;

@KoneksiController('public')
export class PublicFilesController {
  constructor(
    private readonly door: FileDoor,
    private readonly sealing: Sealing,
    private readonly sender: ByteSender,
  ) {}

  @Route('GET', 'public/files/<file>/read', {
    auth: 'public',
    summary: 'How a file is open, and its size, for anybody who knows its id',
    answer: answerOf({ type: 'object', properties: { id: TEXT, access: TEXT, size: { type: 'integer' }, is_encrypted: { type: 'boolean' } } }),
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND'],
    errors: NOT_FOUND,
  })
  async read(@Segment('file') id: string) {
    const { id: known, mode, sizeBytes } = await this.door.describe(fileId(id));
    const isEncrypted = (await this.sealing.of([known])).has(known);
    return envelope('file read successfully', { id: known, access: mode, size: sizeBytes, is_encrypted: isEncrypted });
  }

  @Route('GET', 'public/files/<file>/download', {
    auth: 'public',
    audit: 'derived',
    summary: 'The bytes of a file that is open to anybody, to whoever knows its password (header Password), or to whoever has a key',
    query: { stream: { type: 'boolean', default: true }, key: TEXT },
    headers: { Password: TEXT, Passphrase: TEXT },
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'FORBIDDEN', 'LINK_PASSWORD_WRONG', 'LINK_BLOCKED', 'PASSPHRASE_WRONG', 'RATE_LIMITED'],
    errors: NOT_FOUND,
  })
  async download(
    @Segment('file') id: string,
    @CurrentClient() { address: ip }: Client,
    @Query() query: URLSearchParams,
    @Header('password') password: string | undefined,
    @Header('passphrase') passphrase: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const file = fileId(id);
    const stream = flag(query, 'stream', true);
    const { guest, counted } = await this.door.open(file, { key: secretOf(file, query.get('key')), password, ip });
    await this.sender.send(guest, { id: file, stream, passphrase }, { request, response }, counted);
  }

  @Route('GET', 'check-health', {
    auth: 'public',
    summary: 'Whether the service answers',
    answer: answerOf({ type: 'object', properties: { name: TEXT, version: TEXT, healthy: { type: 'boolean' } } }),
  })
  health() {
    return envelope('service is healthy', { name: 'stowage', version: '1', healthy: true });
  }
}
