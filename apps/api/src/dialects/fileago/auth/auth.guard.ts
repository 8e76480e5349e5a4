import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';

import { type AccountActor, DomainError, isDomainError } from '#libs/kernel';

import type { DialectRequest } from '../../../http/dialect/dialect.js';
import { routeNotFound } from '../../../http/dialect/send-error.js';
import { BEARER } from './bearer.strategy.js';

/** Lets in whoever shows the token of a living session, on routes that ask for one. */
@Injectable()
export class FileagoAuthGuard extends AuthGuard(BEARER) {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Partial<DialectRequest>>();
    // whoever did not come in by the entry has no call
    if (!request.call) throw routeNotFound();
    if (request.call.route.auth === 'public') return true;
    return (await super.canActivate(context)) === true;
  }

  override handleRequest<T = AccountActor>(error: unknown, actor: T | false, _info: unknown, context: ExecutionContext): T {
    if (isDomainError(error)) throw error;
    if (error) throw new DomainError('INTERNAL', 'The token could not be checked.', {}, { cause: error });
    if (!actor) throw new DomainError('UNAUTHENTICATED', 'This call needs a valid token in the Authorization header.');
    context.switchToHttp().getRequest<DialectRequest>().call.actor = actor as unknown as AccountActor;
    return actor;
  }
}
