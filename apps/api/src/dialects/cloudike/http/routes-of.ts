import type { Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';

import { ROUTE_METADATA, type RouteMetadata } from './route-metadata.js';

/** The routes that the methods of a controller declare. */
export function routesOf(controller: Type<unknown>): RouteMetadata[] {
  const prototype = controller.prototype as Record<string, object>;
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name) => Reflect.getMetadata(ROUTE_METADATA, prototype[name]!) as RouteMetadata | undefined)
    .filter((route) => route !== undefined);
}
