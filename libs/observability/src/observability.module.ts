import { type DynamicModule, Global, Module } from '@nestjs/common';

import { HealthService } from './health.service.js';
import { Logger } from './logger.js';
import { Metrics } from './metrics.js';

@Global()
@Module({})
export class ObservabilityModule {
  /** Makes `logger`, `Metrics` and `HealthService` injectable everywhere. Imported once by each app. */
  static forRoot(logger: Logger): DynamicModule {
    const providers = [{ provide: Logger, useValue: logger }, Metrics, HealthService];
    return { module: ObservabilityModule, providers, exports: [Logger, Metrics, HealthService] };
  }
}
