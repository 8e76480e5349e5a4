import 'reflect-metadata';

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { BlobStore } from '#libs/blob-store';
import { AppConfig, ConfigError } from '#libs/config';
import { Database } from '#libs/database';
import { HealthService, Logger, Metrics, NestLogger, observabilityHandler } from '#libs/observability';
import { WorkerRuntime } from '#libs/queue';

import { SCHEDULES } from './schedules.js';
import { WorkerModule } from './worker.module.js';

/** EX_CONFIG of sysexits.h: starting again does not help. */
const EXIT_CONFIG = 78;
const JOB_GRACE_MS = 6_000;
const STOP_LIMIT_MS = 9_500;

/** Starts the worker process; resolves when jobs are being taken. */
async function start(config: AppConfig, logger: Logger): Promise<void> {
  const running: { app?: INestApplicationContext; server?: Server } = {};
  let stopping = false;

  const stop = async (why: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info('the worker stops', { why });
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    await running.app?.get(WorkerRuntime).stop(JOB_GRACE_MS);
    running.server?.close();
    await running.app?.close();
    process.exit(0);
  };
  const onStop = (why: string) => () =>
    void stop(why).catch((error: unknown) => {
      logger.error('the worker did not stop in order', { error });
      process.exit(1);
    });
  process.on('SIGTERM', onStop('SIGTERM'));
  // a parent process with a channel passes the terminal's signal on by itself, once
  process.on('SIGINT', process.connected ? () => undefined : onStop('SIGINT'));
  process.on('disconnect', onStop('the parent process is gone'));

  const app = await NestFactory.createApplicationContext(WorkerModule.forRoot(config, logger), {
    logger: new NestLogger(logger),
    bufferLogs: true,
    abortOnError: false,
  });
  running.app = app;
  watchServices(app);
  const server = await listen(config.worker.httpPort, app);
  running.server = server;
  await app.get(WorkerRuntime).start(SCHEDULES);
  logger.info('the worker takes jobs', { httpPort: (server.address() as { port: number }).port, queue: config.redis ? 'redis' : 'postgresql' });
  process.send?.({ type: 'ready' });
}

/** The queue and its relay watch themselves, and so does the limiter. */
function watchServices(app: INestApplicationContext): void {
  const database = app.get(Database);
  const health = app.get(HealthService);
  health.register('database', () => database.query('SELECT 1'));
  health.register('blob store', () => app.get(BlobStore).check());
  app.get(Metrics).watchPool(database.connections);
}

/** Health and metrics; nothing else is served. */
async function listen(port: number, app: INestApplicationContext): Promise<Server> {
  const handler = observabilityHandler(app.get(HealthService), app.get(Metrics));
  const server = createServer((request, response) => {
    if (!handler(request, response)) response.writeHead(404).end();
  });
  server.listen(port);
  await once(server, 'listening');
  return server;
}

let logger: Logger | undefined;
try {
  const config = AppConfig.fromEnvironment();
  const log = (logger = Logger.create(config.log.level, { app: 'worker' }));
  const crash = (error: unknown): void => {
    log.fatal('an error that nobody handles ends the worker', { error });
    process.exit(1);
  };
  process.on('unhandledRejection', crash);
  process.on('uncaughtException', crash);
  await start(config, log);
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  logger?.fatal('the worker did not start', { error });
  process.stderr.write(`Stowage worker: ${text}\n`);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
}
