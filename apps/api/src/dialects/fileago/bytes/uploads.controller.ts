import { Req } from '@nestjs/common';
import type { Request } from 'express';

import { FileIntake, UploadTickets } from '#libs/files';
import { type Client, DomainError } from '#libs/kernel';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall, CurrentClient, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { type FormFile, readFileForm } from '../../../http/file-form.js';
import { FileagoController } from '../http/controller.js';
import { keyHex } from '../http/key-form.js';
import { success } from '../http/success.js';

const FIELD = 'file';
const MOST_FILES = 100;

@FileagoController('bytes')
export class UploadsController {
  constructor(
    private readonly tickets: UploadTickets,
    private readonly intake: FileIntake,
  ) {}

  @Route('POST', 'upload/<upload_token>', {
    auth: 'public',
    streams: true,
    summary: 'Bring the bytes of new files, or of a new revision, by the token of api/nodes/<node>/upload',
    body: { types: ['multipart/form-data'], schema: { type: 'object', properties: { [FIELD]: { type: 'string', format: 'binary' } } } },
    answer: { type: 'object', properties: { status: { type: 'string' }, msg: { type: 'string' } } },
    refusals: ['INVALID_ARGUMENT', 'UPLOAD_NOT_FOUND', 'NODE_NOT_FOUND', 'FORBIDDEN', 'NAME_TAKEN', 'NAME_ILLEGAL', 'QUOTA_EXCEEDED'],
  })
  async upload(@CurrentCall() call: DialectCall, @CurrentClient() client: Client, @Segment('upload_token') token: string, @Req() request: Request) {
    const { actor, target } = await this.tickets.redeem(keyHex(token), call.arrivedMs, client);
    call.actor = actor;
    const take = ({ field, fileName, body }: FormFile) => {
      if (field === FIELD && fileName !== '') return this.intake.take(actor, { target, name: fileName, body, sizeBytes: null });
      body.resume();
      return Promise.resolve(null);
    };
    const { files } = await readFileForm(request, { maxFiles: target.kind === 'file' ? 1 : MOST_FILES, take });
    const arrived = files.filter((file) => file !== null);
    if (arrived.length === 0) throw new DomainError('INVALID_ARGUMENT', `The form must have a file "${FIELD}" with a name.`);
    await this.intake.confirm(actor, arrived);
    return success('File(s) uploaded successfully');
  }
}
