import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

import { DomainError } from '#libs/kernel';
import { ServiceKeys } from '#libs/service-keys';

import type { DialectRequest } from '../../../http/dialect/dialect.js';
import { routeNotFound } from '../../../http/dialect/send-error.js';
import { clientOf } from '../../../http/request-client.js';

/** Lets in whoever shows the pair of a service account, on routes that ask for one. */
@Injectable()
export class KoneksiAuthGuard implements CanActivate {
  constructor(private readonly keys: ServiceKeys) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Partial<DialectRequest> & DialectRequest>();
    // whoever did not come in by the entry has no call
    if (!request.call) throw routeNotFound();
    if (request.call.route.auth === 'public') return true;
    const publicId = headerOf(request, 'Client-ID');
    const secret = headerOf(request, 'Client-Secret');
    const proven = await this.keys.authenticate('client', { publicId, secret }, clientOf(request));
    if (!proven) throw new DomainError('UNAUTHENTICATED', 'invalid credentials');
    request.call.actor = proven.actor;
    return true;
  }
}

function headerOf({ headers }: DialectRequest, name: string): string {
  const value = headers[name.toLowerCase()];
  if (typeof value !== 'string' || value === '') throw new DomainError('UNAUTHENTICATED', `${name} header is required`);
  return value;
}
