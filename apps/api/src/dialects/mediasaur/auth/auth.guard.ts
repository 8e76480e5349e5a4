import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

import { routeNotFound } from '../../../http/dialect/send-error.js';
import type { DialectRequest } from '../../../http/dialect/dialect.js';
import { clientOf } from '../../../http/request-client.js';
import { Bearer, holdersOf } from './bearer.js';

/** Lets in whoever shows an API key, on routes that ask for one. */
@Injectable()
export class MediasaurAuthGuard implements CanActivate {
  constructor(private readonly bearer: Bearer) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<DialectRequest>();
    // whoever did not come in by the entry has no call
    if (!(request as Partial<DialectRequest>).call) throw routeNotFound();
    const { call, headers } = request;
    if (call.route.auth === 'public') return true;
    const shown = { header: headers.authorization, client: clientOf(request) };
    const held = call.route.auth === 'upload' ? await this.bearer.forUpload(shown) : { holder: await this.bearer.byKey(shown), leave: null };
    call.actor = held.holder.actor;
    holdersOf.set(call, held);
    return true;
  }
}
