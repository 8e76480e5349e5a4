import { createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';

import { type BucketHolder, BucketTokens, type UploadLeave } from '#libs/buckets';
import { type Client, DomainError } from '#libs/kernel';
import { ServiceKeys } from '#libs/service-keys';

import type { DialectCall, DialectRequest } from '../../../http/dialect/dialect.js';

/** What a request shows. */
export interface Shown {
  readonly header: string | undefined;
  readonly client: Client;
}

/** Who was let in, and for which upload alone; null = for all that his key reaches. */
export interface Held {
  readonly holder: BucketHolder;
  readonly leave: UploadLeave | null;
}

/** Set by the guard. */
export const holdersOf = new WeakMap<DialectCall, Held>();

const TOKEN = /^token_/;

/** Who shows an API key, or a token for one upload, as `Authorization: Bearer ...`. */
@Injectable()
export class Bearer {
  constructor(
    private readonly keys: ServiceKeys,
    private readonly tokens: BucketTokens,
  ) {}

  /** UNAUTHENTICATED for everything but an API key that is good. */
  async byKey({ header, client }: Shown): Promise<BucketHolder> {
    const proven = await this.keys.authenticate('storage', { secret: secretIn(header) }, client);
    if (!proven) throw new DomainError('UNAUTHENTICATED', 'The API key is wrong or was revoked.');
    return proven;
  }

  /** The same, and for tokens for uploads. */
  async forUpload(shown: Shown): Promise<Held> {
    const secret = secretIn(shown.header);
    if (!TOKEN.test(secret)) return { holder: await this.byKey(shown), leave: null };
    const leave = await this.tokens.openUpload(secret.replace(TOKEN, ''), shown.client);
    return { holder: leave.holder, leave };
  }
}

function secretIn(header: string | undefined): string {
  const found = /^Bearer +(\S+)\s*$/i.exec(header ?? '')?.[1];
  if (found === undefined) throw new DomainError('UNAUTHENTICATED', 'This call needs an API key in the header Authorization: Bearer sk_...');
  return found;
}

const heldIn = (context: ExecutionContext): Held => {
  const held = holdersOf.get(context.switchToHttp().getRequest<DialectRequest>().call);
  if (!held) throw new DomainError('UNAUTHENTICATED', 'This call needs an API key.');
  return held;
};

/** Whose key was shown, and what it reaches. */
export const Holder = createParamDecorator((_: unknown, context: ExecutionContext): BucketHolder => heldIn(context).holder);

/** The same on routes that a token for an upload opens too. */
export const Uploader = createParamDecorator((_: unknown, context: ExecutionContext): Held => heldIn(context));
