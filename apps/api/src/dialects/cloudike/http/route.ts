import {
  applyDecorators,
  Controller,
  HttpCode,
  RequestMapping,
  RequestMethod,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';

import type { DomainErrorCode } from '#libs/kernel';

import type { RouteAudit } from '../../../http/recorded-call.js';
import { ACCESS_METADATA } from '../../../http/route-declarations.js';
import { CloudikeAuthGuard } from './auth.guard.js';
import { CloudikeErrorFilter } from './error.filter.js';
import { ReplyInterceptor } from './reply.js';
import { RecordInterceptor } from './record.interceptor.js';
import { INTERNAL_PREFIX, ROUTE_METADATA, type RouteAuth, type RouteMetadata } from './route-metadata.js';

export interface RouteOptions {
  /** Who may call: `account` = only with a valid credential, `optional` = a credential counts when it is valid, `public` = none is read. */
  readonly auth: RouteAuth;
  /** True: the token of a device that is to be wiped is let in too; the handler asks `@IsWiped()`. */
  readonly wiped?: boolean;
  /** True: also for who has yet to set up the second factor that their company demands. */
  readonly enrols?: boolean;
  /** False: HEAD is refused. For links in mails that are good once: mail programs look at links by HEAD. */
  readonly head?: boolean;
  /**
   * What a call means for the audit. Default: `change` where HEAD is refused, because such a call uses up or changes something, else `none`; a read that writes is
   * found by the tests.
   */
  readonly audit?: RouteAudit;
  /** One line for the API documentation. */
  readonly summary?: string;
  /** Where this route documents another status or code than the table of errors.ts. */
  readonly errors?: Partial<Record<DomainErrorCode, readonly [status: number, code: string]>>;
}

/** A controller of the Cloudike dialect: token or Basic authentication, merged parameters, `{code, description}` errors. `tag` groups it in the documentation. */
export function CloudikeController(tag: string): ClassDecorator {
  return applyDecorators(
    Controller(INTERNAL_PREFIX),
    ApiTags(tag),
    UseGuards(CloudikeAuthGuard),
    UseFilters(CloudikeErrorFilter),
    UseInterceptors(RecordInterceptor, ReplyInterceptor),
  );
}

/**
 * Serves one route of the contract, or several spellings of it, under /api/0 and /api/1, by GET and POST, with and without a trailing slash.
 * A template is written as in the contract: `task/<taskid>`, `metadata/<path>`. `<path>` takes all that follows, also nothing; any other
 * `<name>` takes one segment. Literal segments win over both.
 */
export function Route(template: string | readonly string[], options: RouteOptions): MethodDecorator {
  return (target, key, descriptor) => {
    const name = `${(target.constructor as Type).name}.${String(key)}`;
    const templates = typeof template === 'string' ? [template] : [...template];
    const route: RouteMetadata = { name, templates, audit: options.head === false ? 'change' : 'none', ...options };
    Reflect.defineMetadata(ROUTE_METADATA, route, descriptor.value as object);
    Reflect.defineMetadata(ACCESS_METADATA, options.auth, descriptor.value as object);
    HttpCode(200)(target, key, descriptor);
    RequestMapping({ path: name, method: RequestMethod.ALL })(target, key, descriptor);
  };
}
