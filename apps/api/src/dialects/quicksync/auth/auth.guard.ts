import type { IncomingMessage } from 'node:http';

import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

import { DomainError, isDomainError } from '#libs/kernel';
import { type RoomMember, Rooms } from '#libs/rooms';
import { type ProvenKey, ServiceKeys } from '#libs/service-keys';
import { WalletProofs } from '#libs/wallets';

import type { DialectRequest } from '../../../http/dialect/dialect.js';
import { routeNotFound } from '../../../http/dialect/send-error.js';
import { clientOf } from '../../../http/request-client.js';
import { setHolder } from './holders.js';
import { QuicksyncTokens } from './tokens.js';

const BEARER = /^bearer +(\S+) *$/i;

/** Finds out who shows the credentials that a route asks for. Others that are sent along are not looked at. */
@Injectable()
export class QuicksyncAuthGuard implements CanActivate {
  constructor(
    private readonly tokens: QuicksyncTokens,
    private readonly proofs: WalletProofs,
    private readonly keys: ServiceKeys,
    private readonly rooms: Rooms,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<DialectRequest>();
    const { call } = request as Partial<DialectRequest>;
    // whoever did not come in by the entry has no call
    if (!call) throw routeNotFound();
    switch (call.route.auth) {
      case 'public':
        return true;
      case 'wallet':
        setHolder(request, { wallet: await this.walletOf(request) });
        return true;
      case 'developer': {
        const wallet = await this.walletOf(request);
        const key = await this.keyOf(request);
        call.actor = key.actor;
        setHolder(request, { wallet, key });
        return true;
      }
      default: {
        const member = await this.memberOf(request);
        call.actor = member.actor;
        call.about['member'] = member.id;
        setHolder(request, { member });
        return true;
      }
    }
  }

  private async walletOf(request: DialectRequest): Promise<string> {
    return (await this.proofs.find(this.tokens.walletProof(bearerOf(request)))).address;
  }

  private async keyOf(request: DialectRequest): Promise<ProvenKey> {
    const secret = request.headers['x-api-key'];
    const key = typeof secret === 'string' ? await this.keys.authenticate('developer', { secret }, clientOf(request)) : null;
    if (key === null) throw new DomainError('UNAUTHENTICATED', 'This call needs a valid developer key in the X-API-KEY header.');
    return key;
  }

  /** The token of a session that is over opens nothing; only who asks for that session hears that it is not there any more. */
  private async memberOf(request: DialectRequest): Promise<RoomMember> {
    try {
      const token = request.call.route.template.startsWith('hubs/') ? hubBearerOf(request) : bearerOf(request);
      return await this.rooms.enter(this.tokens.session(token), clientOf(request));
    } catch (error) {
      const { method, template } = request.call.route;
      if (isDomainError(error, 'NODE_NOT_FOUND') && !(method === 'GET' && template === 'session/current'))
        throw new DomainError('UNAUTHENTICATED', 'The session is over.');
      throw error;
    }
  }
}

/** The token of the Authorization header. UNAUTHENTICATED. */
export function bearerOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const token = BEARER.exec(headers.authorization ?? '')?.[1];
  if (!token) throw new DomainError('UNAUTHENTICATED', 'This call needs a token in the Authorization header.');
  return token;
}

/** The same for a hub, whose clients may put it into the query: a browser sends no headers with a websocket. */
export function hubBearerOf(request: Pick<IncomingMessage, 'headers' | 'url'>): string {
  const { url = '' } = request;
  const question = url.indexOf('?');
  return (question < 0 ? null : new URLSearchParams(url.slice(question + 1)).get('access_token')) ?? bearerOf(request);
}
