import { type DynamicModule, Module } from '@nestjs/common';

import { type AppConfig, ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { type Logger, ObservabilityModule } from '#libs/observability';

import { CloudikeModule } from './dialects/cloudike/cloudike.module.js';
import { CloudikeEventWireModule } from './dialects/cloudike/events/index.js';
import { FileagoModule } from './dialects/fileago/fileago.module.js';
import { KoneksiModule } from './dialects/koneksi/koneksi.module.js';
import { MediasaurModule } from './dialects/mediasaur/mediasaur.module.js';
import { QuicksyncModule } from './dialects/quicksync/quicksync.module.js';
import { HttpModule } from './http/http.module.js';
import { PublicLinksModule } from './public-links/public-links.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';

/** Longest time one statement of a request may take. */
const STATEMENT_TIMEOUT_MS = 30_000;

@Module({})
class ApiModule {}

/** The api process: what every request stands on, and the dialects. */
export function apiModule(config: AppConfig, logger: Logger): DynamicModule {
  return {
    module: ApiModule,
    imports: [
      ConfigModule.forRoot(config),
      ObservabilityModule.forRoot(logger),
      DatabaseModule.forRoot({
        url: config.database.url,
        poolSize: config.database.poolSize,
        statementTimeoutMs: STATEMENT_TIMEOUT_MS,
        applicationName: 'stowage-api',
        onPoolError: (error) => logger.warn('a database connection was lost', { error }),
      }),
      HttpModule,
      CloudikeModule,
      FileagoModule,
      KoneksiModule,
      MediasaurModule,
      QuicksyncModule,
      PublicLinksModule,
      RealtimeModule.speaking(CloudikeEventWireModule),
    ],
  };
}
