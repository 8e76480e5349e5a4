import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { type AccountActor, type Client, DomainError } from '#libs/kernel';

import { readJsonObject } from '../json-body.js';
import { clientOf } from '../request-client.js';
import type { DialectCall, DialectRequest } from './dialect.js';

const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<DialectRequest>();

/** The signed-in account. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): AccountActor => {
  const { actor } = requestOf(context).call;
  if (!actor) throw new DomainError('UNAUTHENTICATED', 'This call needs a credential.');
  return actor;
});

/** What the entry knows of the call. */
export const CurrentCall = createParamDecorator((_: unknown, context: ExecutionContext): DialectCall => requestOf(context).call);

/** The decoded value of a `<name>` segment. */
export const Segment = createParamDecorator((name: string, context: ExecutionContext): string => requestOf(context).call.segments[name] ?? '');

/** The body as a JSON object, whatever its content type says; `{}` when there is none. `limitBytes` is the largest that is read. */
export const JsonBody = createParamDecorator((limitBytes: number, context: ExecutionContext) => readJsonObject(requestOf(context), limitBytes));

/** Where a request comes from, and with what. */
export const CurrentClient = createParamDecorator((_: unknown, context: ExecutionContext): Client => clientOf(requestOf(context)));

/** What the program says of itself. */
export const UserAgent = createParamDecorator((_: unknown, context: ExecutionContext): string => requestOf(context).headers['user-agent'] ?? '');

/** The parameters behind the `?`. */
export const QueryParams = createParamDecorator((_: unknown, context: ExecutionContext): URLSearchParams => {
  const { url } = requestOf(context);
  const question = url.indexOf('?');
  return new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
});
