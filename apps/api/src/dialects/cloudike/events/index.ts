import { Module } from '@nestjs/common';

import { EventsModule } from '#libs/events';
import { Clock, SystemClock } from '#libs/kernel';

import { EventWire } from '../../../realtime/event-wire.js';
import { CloudikeEventWire } from './cloudike-event-wire.js';
import { EventsController } from './events.controller.js';

/** Controllers of the routes of events and notices. */
export const EVENT_CONTROLLERS = [EventsController];
export const EVENT_PROVIDERS = [{ provide: Clock, useClass: SystemClock }];
/** What they need. */
export const EVENT_MODULES = [EventsModule];

/** How websockets speak to clients of this dialect. */
@Module({ providers: [{ provide: EventWire, useClass: CloudikeEventWire }], exports: [EventWire] })
export class CloudikeEventWireModule {}
