import 'reflect-metadata';

import type { RequestListener, Server } from 'node:http';

import type { INestApplication } from '@nestjs/common';

import { BlobStore } from '#libs/blob-store';
import { AppConfig, ConfigError } from '#libs/config';
import { Database } from '#libs/database';
import { HealthService, Logger, Metrics, observabilityHandler } from '#libs/observability';

import { apiModule } from './api.module.js';
import { blobHandlerOf, previewHandlerOf } from './blob-routes.js';
import { DOCUMENTS } from './documents.js';
import { createNestApp } from './http/nest-app.js';
import { nameRoute } from './http/request-facts.js';
import { createHttpServer, drain, type RawHandler } from './http/server.js';
import { UpgradeEntries } from './http/upgrade-entries.js';
import { PublicLinkPages } from './public-links/public-link-pages.js';
import { RealtimeGateway } from './realtime/realtime.gateway.js';
import { upgradeRequired } from './realtime/upgrade-required.js';

/** EX_CONFIG and EX_TEMPFAIL of sysexits.h: the first is not helped by a new start, the second may be. */
const EXIT_CONFIG = 78;
const EXIT_BUSY_PORT = 75;
const REQUEST_GRACE_MS = 7_000;
const STOP_LIMIT_MS = 9_500;

/** The address cannot be listened on; the message is one line for the person who starts us. */
class AddressError extends Error {}

/** Starts the api process; resolves when it answers. */
async function start(config: AppConfig, logger: Logger): Promise<void> {
  let app: INestApplication | undefined;
  let server: Server | undefined;
  let stopping = false;

  const stop = async (why: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info('the api stops', { why });
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    const websockets = Promise.all([app?.get(RealtimeGateway).close(), app?.get(UpgradeEntries).close()]);
    if (server?.listening) await drain(server, REQUEST_GRACE_MS);
    await websockets;
    await app?.close();
    process.exit(0);
  };
  const onStop = (why: string) => () =>
    void stop(why).catch((error: unknown) => {
      logger.error('the api did not stop in order', { error });
      process.exit(1);
    });
  process.on('SIGTERM', onStop('SIGTERM'));
  // a parent process with a channel passes the terminal's signal on by itself, once
  process.on('SIGINT', process.connected ? () => undefined : onStop('SIGINT'));
  process.on('disconnect', onStop('the parent process is gone'));

  app = await createNestApp(apiModule(config, logger), logger, { documents: DOCUMENTS });
  const metrics = app.get(Metrics);
  watchServices(app, metrics);
  server = createHttpServer({
    raw: [
      named('/blobs', blobHandlerOf(app)),
      named('/previews', previewHandlerOf(app)),
      named('/health, /metrics', observabilityHandler(app.get(HealthService), metrics)),
      named('/subscribe', upgradeRequired),
      named('/public', app.get(PublicLinkPages).handle),
    ],
    rest: app.getHttpAdapter().getInstance() as RequestListener,
    logger,
    metrics,
    secure: config.http.publicUrl.startsWith('https:'),
  });
  await app.get(RealtimeGateway).attach(server);
  await listen(server, config);
  logger.info('the api answers', { address: server.address(), publicUrl: config.http.publicUrl });
  process.send?.({ type: 'ready' });
}

/** A raw handler under a label for metrics and the access log. */
function named(label: string, handler: RawHandler): RawHandler {
  return (request, response, continuePending) => {
    const answered = handler(request, response, continuePending);
    if (answered !== false) nameRoute(request, label);
    return answered;
  };
}

/** The limiter watches its Redis itself. */
function watchServices(app: INestApplication, metrics: Metrics): void {
  const database = app.get(Database);
  const health = app.get(HealthService);
  health.register('database', () => database.query('SELECT 1'));
  health.register('blob store', () => app.get(BlobStore).check());
  metrics.watchPool(database.connections);
}

async function listen(server: Server, { http: { host, port } }: AppConfig): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint = error.code === 'EADDRINUSE' ? 'it is in use by another program; set STOWAGE_HTTP_PORT to a free port' : error.message;
      reject(new AddressError(`cannot listen on ${host} port ${port}: ${hint}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

let logger: Logger | undefined;
try {
  const config = AppConfig.fromEnvironment();
  const log = (logger = Logger.create(config.log.level, { app: 'api' }));
  const crash = (error: unknown): void => {
    log.fatal('an error that nobody handles ends the api', { error });
    process.exit(1);
  };
  process.on('unhandledRejection', crash);
  process.on('uncaughtException', crash);
  await start(config, log);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof AddressError)) logger?.fatal('the api did not start', { error });
  process.stderr.write(`Stowage api: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : error instanceof AddressError ? EXIT_BUSY_PORT : 1);
}
