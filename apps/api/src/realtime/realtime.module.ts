import { type DynamicModule, Module, type Type } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { EventsModule } from '#libs/events';
import { Clock, SystemClock } from '#libs/kernel';
import { SignalsModule } from '#libs/signals';

import { HttpModule } from '../http/http.module.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { RealtimeMetrics } from './realtime.metrics.js';

@Module({})
export class RealtimeModule {
  /** Websockets that speak what the EventWire exported by `dialect` writes. */
  static speaking(dialect: Type<unknown>): DynamicModule {
    return {
      module: RealtimeModule,
      imports: [HttpModule, AccountsModule, EventsModule, SignalsModule, dialect],
      providers: [RealtimeGateway, RealtimeMetrics, { provide: Clock, useClass: SystemClock }],
      exports: [RealtimeGateway],
    };
  }
}
