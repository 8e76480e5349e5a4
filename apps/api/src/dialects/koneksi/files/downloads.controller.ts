import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import type { AccountActor } from '#libs/kernel';

import { CurrentActor, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { KoneksiController } from '../http/controller.js';
import { fileId, flag, Header, Query } from '../http/input.js';
import { ByteSender } from './byte-sender.js';

@KoneksiController('files')
export class DownloadsController {
  constructor(private readonly sender: ByteSender) {}

  @Route('GET', 'files/<file_id>/download', {
    auth: 'client',
    summary: 'The bytes of a file, for whoever has it or received it; a sealed one with the header Passphrase and stream=false',
    query: { stream: { type: 'boolean', default: true } },
    headers: { Passphrase: { type: 'string' } },
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'FORBIDDEN', 'PASSPHRASE_WRONG', 'RATE_LIMITED'],
    errors: { NODE_NOT_FOUND: [404, 'file not found'] },
  })
  async download(
    @CurrentActor() actor: AccountActor,
    @Segment('file_id') id: string,
    @Query() query: URLSearchParams,
    @Header('passphrase') passphrase: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.sender.send(actor, { id: fileId(id), stream: flag(query, 'stream', true), passphrase }, { request, response });
  }
}
