import { createParamDecorator, type ExecutionContext, type Type } from '@nestjs/common';
import { ApiBody } from '@nestjs/swagger';

import { type AccountActor, DomainError } from '#libs/kernel';

import { bind } from './fields.js';
import { BODY_LIMIT_BYTES, PUBLIC_BODY_LIMIT_BYTES, readParams } from './request-params.js';
import type { CloudikeCall, CloudikeRequest } from './route-metadata.js';
import { signedRequestOf } from './signed-request.js';

const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<CloudikeRequest>();

const BoundParams = createParamDecorator(async (dto: Type<object>, context: ExecutionContext) => {
  const request = requestOf(context);
  const params = await readParams(request, request.cloudike.actor ? BODY_LIMIT_BYTES : PUBLIC_BODY_LIMIT_BYTES, request.cloudike.form);
  request.cloudike.params = params;
  return bind(dto, params);
});

/** Query and body of the call as an instance of `dto` (see fields.ts). Once per handler: it reads the body. */
export function Params(dto: Type<object>): ParameterDecorator {
  return (target, key, index) => {
    BoundParams(dto)(target, key, index);
    const descriptor = Object.getOwnPropertyDescriptor(target, key!);
    if (descriptor) ApiBody({ type: dto, required: false })(target, key!, descriptor);
  };
}

/** The request as a program signed it by OAuth 1.0: in the Authorization header, the query or a form. It reads the body, so not beside `@Params`. */
export const Signed = createParamDecorator((_: unknown, context: ExecutionContext) => signedRequestOf(requestOf(context)));

/** The signed-in account. On `auth: 'optional'` and `'public'` routes use `@OptionalActor()`. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): AccountActor => {
  const { actor } = requestOf(context).cloudike;
  if (!actor) throw new DomainError('UNAUTHENTICATED', 'This call needs a token.');
  return actor;
});

/** True when the caller is a device that is to be wiped: it may learn that, and nothing else. */
export const IsWiped = createParamDecorator((_: unknown, context: ExecutionContext): boolean => requestOf(context).cloudike.wiped === true);

/** The signed-in account, or null. */
export const OptionalActor = createParamDecorator((_: unknown, context: ExecutionContext): AccountActor | null => requestOf(context).cloudike.actor);

/** Decoded segments of `<path>`; [] = root. */
export const PathTail = createParamDecorator((_: unknown, context: ExecutionContext): readonly string[] => requestOf(context).cloudike.tail);

/** The decoded value of one `<name>` segment of the route; undefined in spellings of the route that do not have it. */
export const UrlSegment = createParamDecorator(
  (name: string, context: ExecutionContext): string | undefined => requestOf(context).cloudike.segments[name],
);

/** A request header as text, or undefined. */
export const Header = createParamDecorator((name: string, context: ExecutionContext): string | undefined => {
  const value = requestOf(context).headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : value;
});

/** Where a request came from: facts for logins, tokens and the limiter. */
export interface Caller {
  readonly ip: string;
  readonly userAgent: string;
  readonly version: 0 | 1;
}

/** Address and program of the caller, and the API version of the URL. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = requestOf(context);
  const { version }: CloudikeCall = request.cloudike;
  return { ip: request.ip ?? '', userAgent: request.headers['mountbit-user-agent']?.toString() ?? request.headers['user-agent'] ?? '', version };
});
