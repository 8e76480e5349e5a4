import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';

import { type Logger, NestLogger } from '#libs/observability';

import { type DialectDocument, serveDocumentation } from './documentation.js';
import { FallbackFilter } from './fallback.filter.js';
import { HandlerTable } from './handler-table.js';
import { RequestEntries } from './request-entries.js';

export interface AppOptions {
  /** Only read the modules, for the documentation: nothing is made or connected. */
  readonly preview?: boolean;
  readonly documents?: readonly DialectDocument[];
}

/**
 * The Nest application of `module` on Express, ready to answer: bodies are left to the dialects, nothing tells about the server, and a path that no
 * route serves is answered RouteNotFound. Rejects when a route does not declare who may call it.
 */
export async function createNestApp(module: Type<unknown> | DynamicModule, logger: Logger, options: AppOptions = {}): Promise<INestApplication> {
  const server = express();
  server.disable('x-powered-by');
  server.set('etag', false);
  server.set('query parser', false);
  server.set('trust proxy', 'loopback');
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(server), {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLogger(logger),
    preview: options.preview ?? false,
  });
  app.useGlobalFilters(new FallbackFilter(logger));
  if (!options.preview) {
    const table = new HandlerTable();
    for (const entry of app.get(RequestEntries).all()) app.use(entry);
    app.use(table.dispatch);
    serveDocumentation(app, options.documents ?? []);
    await app.init();
    table.fill(server.router.stack);
  }
  return app;
}
