import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { DomainError } from '#libs/kernel';
import type { RoomMember } from '#libs/rooms';
import type { ProvenKey } from '#libs/service-keys';

import type { DialectRequest } from '../../../http/dialect/dialect.js';

/** What the credentials of a request have shown. */
export interface Holder {
  readonly member?: RoomMember;
  /** Address of a wallet, in lower case. */
  readonly wallet?: string;
  readonly key?: ProvenKey;
}

const holders = new WeakMap<DialectRequest, Holder>();

export function setHolder(request: DialectRequest, holder: Holder): void {
  holders.set(request, holder);
}

const shown = <N extends keyof Holder>(name: N) =>
  createParamDecorator((_: unknown, context: ExecutionContext): NonNullable<Holder[N]> => {
    const value = holders.get(context.switchToHttp().getRequest<DialectRequest>())?.[name];
    if (value === undefined) throw new DomainError('UNAUTHENTICATED', 'This call needs a credential.');
    return value;
  });

/** Who is in the session of the request's token. */
export const CurrentMember = shown('member');
/** The wallet that the request's token proves. */
export const CurrentWallet = shown('wallet');
/** The developer key of the request. */
export const CurrentKey = shown('key');
