import { Req } from '@nestjs/common';
import type { Request } from 'express';

import { AppConfig } from '#libs/config';
import { type FeedbackOrder, FeedbackService } from '#libs/feedback';
import { type AccountActor, DomainError } from '#libs/kernel';

import { formFile, isForm } from '../../../blobs/form-body.js';
import { limitBodySilence } from '../../../http/body-time.js';
import { type Caller, CloudikeController, CurrentActor, CurrentCaller, ok, Params, Route, UrlSegment } from '../http/index.js';
import { FeedbackDto, FeedbackListDto } from './settings.dto.js';

// A map: a client may name any text, also `constructor`.
const ORDERS: ReadonlyMap<string, FeedbackOrder> = new Map([
  ['date', 'created'],
  ['created', 'created'],
  ['email', 'email'],
  ['userid', 'accountId'],
]);
const DEFAULT_PAGE = 20;

/** What people say about the house (contract 13). */
@CloudikeController('accounts')
export class FeedbackController {
  constructor(
    private readonly feedback: FeedbackService,
    private readonly config: AppConfig,
  ) {}

  @Route('accounts/feedback', { auth: 'account', head: false, summary: 'Leave feedback; the answer may name a URL for the log of the program' })
  async leave(@CurrentActor() actor: AccountActor, @Params(FeedbackDto) params: FeedbackDto, @CurrentCaller() { userAgent }: Caller) {
    const { ticket } = await this.feedback.leave(actor, { ...params, userAgent });
    return ticket === null ? {} : { url_upload_logs: `${this.config.http.publicUrl}/api/1/accounts/feedback_logs/${ticket}` };
  }

  @Route('accounts/feedback_logs/<ticket>', { auth: 'public', head: false, summary: 'Takes the log of a program as the part `log` of a form' })
  async takeLog(@UrlSegment('ticket') ticket: string, @Req() request: Request) {
    if (!isForm(request)) throw new DomainError('INVALID_ARGUMENT', 'The log is the part "log" of a multipart form.');
    await this.feedback.takeLog(ticket, () => {
      limitBodySilence(request);
      return formFile(request, 'log');
    });
    return ok('The log was stored.');
  }

  @Route('accounts/feedback_list', { auth: 'account', summary: 'Feedback, for administrators of the system' })
  async list(@CurrentActor() actor: AccountActor, @Params(FeedbackListDto) { limit, offset, orderField, orderDirection }: FeedbackListDto) {
    const { entries, count } = await this.feedback.list(actor, {
      orderBy: ORDERS.get(orderField ?? '') ?? 'created',
      descending: /^(desc|-1)/i.test(orderDirection ?? ''),
      offset: offset ?? 0,
      limit: limit ?? DEFAULT_PAGE,
    });
    const data = entries.map(({ id, text, accountId, email, name, createdMs, logUrl }) => ({
      id,
      text,
      userid: accountId ?? 0,
      email,
      name,
      created: createdMs,
      ...(logUrl === null ? {} : { log_url: logUrl }),
    }));
    return { count, data };
  }
}
