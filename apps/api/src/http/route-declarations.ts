import { Injectable, type OnModuleInit } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/internal';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

/** Metadata key under which a route says who may call it. */
export const ACCESS_METADATA = Symbol('http:access');

/** Fails the boot when a handler of any controller does not say who may call it. */
@Injectable()
export class RouteDeclarations implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    const silent: string[] = [];
    for (const { metatype } of this.discovery.getControllers()) {
      const controller = metatype as { name: string; prototype: Record<string, object> };
      for (const name of this.scanner.getAllMethodNames(controller.prototype)) {
        const handler = controller.prototype[name]!;
        if (Reflect.hasMetadata(METHOD_METADATA, handler) && Reflect.getMetadata(ACCESS_METADATA, handler) === undefined)
          silent.push(`${controller.name}.${name}`);
      }
    }
    if (silent.length > 0) throw new Error(`These routes do not declare who may call them: ${silent.join(', ')}`);
  }
}
