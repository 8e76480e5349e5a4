import 'reflect-metadata';

import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AccountsModule, AdminBootstrap } from '#libs/accounts';
import { BlobStore, BlobStoreModule } from '#libs/blob-store';
import { AppConfig, ConfigError, ConfigModule } from '#libs/config';
import { DatabaseModule, migrate } from '#libs/database';
import { Logger, NestLogger, ObservabilityModule } from '#libs/observability';

import { MIGRATIONS } from '../../../migrations/index.js';

const EXIT_CONFIG = 78;

@Module({})
class FirstStartModule {
  static forRoot(config: AppConfig, logger: Logger): DynamicModule {
    return {
      module: FirstStartModule,
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule.forRoot(logger),
        DatabaseModule.forRoot({ url: config.database.url, poolSize: 2, statementTimeoutMs: 0, applicationName: 'stowage-migrate' }),
        AccountsModule,
        BlobStoreModule,
      ],
    };
  }
}

/**
 * Brings the database up to date, prepares the object store and makes the first system administrator. Prints one JSON line
 * `{"admin": {email, password, created}}`; `password` is null unless it was generated just now.
 */
async function prepare(config: AppConfig, logger: Logger): Promise<void> {
  const names = await migrate(config.database.url, MIGRATIONS);
  logger.info('the schema is up to date', { migrated: names });
  const app = await NestFactory.createApplicationContext(FirstStartModule.forRoot(config, logger), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  try {
    await app.get(BlobStore).prepare();
    const admin = await app.get(AdminBootstrap).ensure(config.admin);
    process.stdout.write(`${JSON.stringify({ admin })}\n`);
  } finally {
    await app.close();
  }
}

try {
  const config = AppConfig.fromEnvironment();
  await prepare(config, Logger.create(config.log.level, { app: 'migrate' }));
  process.exit(0);
} catch (error) {
  process.stderr.write(`Stowage migrate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
}
