import { FileSharing, type ShareFile } from '#libs/file-access';
import type { AccountActor } from '#libs/kernel';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentActor, CurrentCall, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { KoneksiController } from '../http/controller.js';
import { answerOf, envelope } from '../http/envelope.js';
import { type Body, fileId, invalid, JsonRequest, optionalText, Query } from '../http/input.js';
import { durationText } from './duration.js';
import { fileKey } from './file-key.js';

const TEXT = { type: 'string' };
const JSON_TYPE = ['application/json'];

@KoneksiController('files')
export class SharingController {
  constructor(private readonly sharing: FileSharing) {}

  @Route('POST', 'files/<file_id>/generate-link', {
    auth: 'client',
    summary: 'A key that lets anybody download the file until it ends',
    body: {
      types: JSON_TYPE,
      schema: { type: 'object', required: ['duration'], properties: { duration: { type: 'integer', description: 'seconds' } } },
    },
    answer: answerOf({ type: 'object', properties: { duration: TEXT, file_key: TEXT } }),
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'FORBIDDEN'],
    errors: { NODE_NOT_FOUND: [404, 'file not found'] },
  })
  async generateLink(
    @CurrentActor() actor: AccountActor,
    @Segment('file_id') id: string,
    @JsonRequest() body: Body,
    @CurrentCall() call: DialectCall,
  ) {
    const file = fileId(id);
    const seconds = durationIn(body);
    call.about['duration'] = seconds;
    const secret = await this.sharing.createKey(actor, file, seconds);
    return envelope('file shared successfully', { duration: durationText(seconds), file_key: fileKey(file, secret) });
  }

  @Route('POST', 'files/<file>/share', {
    auth: 'client',
    summary: 'Say who may have the file by its id',
    query: { access: { type: 'string', enum: ['public', 'private', 'password', 'email'] } },
    body: { types: JSON_TYPE, schema: { type: 'object', properties: { password: TEXT, emails: { type: 'array', items: TEXT } } } },
    answer: answerOf(),
    refusals: ['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'FORBIDDEN', 'LINK_BLOCKED', 'RATE_LIMITED'],
    errors: { NODE_NOT_FOUND: [404, 'file not found'], ACCOUNT_NOT_FOUND: [400, 'one or more provided emails are invalid'] },
  })
  async share(
    @CurrentActor() actor: AccountActor,
    @Segment('file') id: string,
    @Query() query: URLSearchParams,
    @JsonRequest() body: Body,
    @CurrentCall() call: DialectCall,
  ) {
    const file = fileId(id);
    const command = shareIn(query, body);
    call.about['access'] = command.mode;
    await this.sharing.share(actor, file, command);
    return envelope('file shared successfully');
  }
}

function durationIn({ duration }: Body): number {
  if (duration === undefined || duration === null) throw invalid('duration is required');
  if (typeof duration !== 'number') throw invalid('duration must be a number');
  return duration;
}

function shareIn(query: URLSearchParams, body: Body): ShareFile {
  const mode = query.get('access');
  switch (mode) {
    case 'public':
    case 'private':
      return { mode };
    case 'password': {
      const password = optionalText(body, 'password');
      if (password === undefined) throw invalid('password is required for password-protected access');
      return { mode, password };
    }
    case 'email': {
      const emails = body['emails'] ?? [];
      if (!Array.isArray(emails) || !emails.every((each): each is string => typeof each === 'string')) throw invalid('invalid request body');
      if (emails.length === 0) throw invalid('at least one email is required for email access');
      return { mode, emails };
    }
    default:
      throw invalid('invalid access type');
  }
}
