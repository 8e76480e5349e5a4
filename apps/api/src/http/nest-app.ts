import { type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';

import { type Logger, NestLogger } from '#libs/observability';

import { FallbackFilter } from './fallback.filter.js';
import { RequestEntries } from './request-entries.js';

/**
 * The Nest application of `module` on Express, ready to answer: bodies are left to the dialects, nothing tells about the server, and a path that no
 * route serves is answered RouteNotFound. Rejects when a route does not declare who may call it.
 */
export async function createNestApp(module: Type<unknown>, logger: Logger, options: { readonly preview?: boolean } = {}): Promise<INestApplication> {
  const server = express();
  server.disable('x-powered-by');
  server.set('etag', false);
  server.set('query parser', false);
  server.set('trust proxy', 'loopback');
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(server), {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLogger(logger),
    ...options,
  });
  app.useGlobalFilters(new FallbackFilter(logger));
  if (!options.preview) {
    for (const entry of app.get(RequestEntries).all()) app.use(entry);
    await app.init();
  }
  return app;
}
