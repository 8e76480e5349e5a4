import {
  applyDecorators,
  type CanActivate,
  Controller,
  HttpCode,
  RequestMapping,
  RequestMethod,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';

import { ACCESS_METADATA } from '../route-declarations.js';
import { type Dialect, DIALECT_ROUTE, type DialectRoute, type DialectRouteOptions, type HttpMethod, internalPrefix } from './dialect.js';
import { DialectErrorFilter } from './dialect-error.filter.js';
import { RecordedInterceptor } from './recorded.interceptor.js';

const TAG = Symbol('http:dialect-tag');

/** The class decorator of a dialect's controllers. `guard` turns the credential of a request into `call.actor`, as the route's `auth` says. */
export function dialectController(dialect: Pick<Dialect, 'name'>, guard: Type<CanActivate>): (tag: string) => ClassDecorator {
  return (tag) =>
    applyDecorators(
      Controller(internalPrefix(dialect.name)),
      // The document is made from the routes themselves (openapi.ts).
      ApiExcludeController(),
      UseGuards(guard),
      UseFilters(DialectErrorFilter),
      UseInterceptors(RecordedInterceptor),
      (target: object) => Reflect.defineMetadata(TAG, tag, target),
    );
}

/** Serves one route of a dialect, with and without a slash at the end. A template is written `api/nodes/<node>`; see RouteTable. */
export function Route(method: HttpMethod, template: string, options: DialectRouteOptions): MethodDecorator {
  return (target, key, descriptor) => {
    const name = `${(target.constructor as Type).name}.${String(key)}`;
    Reflect.defineMetadata(DIALECT_ROUTE, { name, method, template, tag: '', ...options } satisfies DialectRoute, descriptor.value as object);
    Reflect.defineMetadata(ACCESS_METADATA, options.auth, descriptor.value as object);
    HttpCode(options.status ?? 200)(target, key, descriptor);
    RequestMapping({ path: name, method: RequestMethod.ALL })(target, key, descriptor);
  };
}

/** The routes that controllers declare. */
export function dialectRoutesOf(controllers: readonly Type<unknown>[]): DialectRoute[] {
  return controllers.flatMap((controller) => {
    const prototype = controller.prototype as Record<string, object>;
    const tag = String(Reflect.getMetadata(TAG, controller) ?? '');
    return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
      const route = Reflect.getMetadata(DIALECT_ROUTE, prototype[name]!) as DialectRoute | undefined;
      return route ? [{ ...route, tag }] : [];
    });
  });
}
