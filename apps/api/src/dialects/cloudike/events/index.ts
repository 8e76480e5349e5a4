import { Module } from '@nestjs/common';

import { EventsModule } from '#libs/events';
import { Clock, SystemClock } from '#libs/kernel';
import { NodeFactsModule } from '#libs/node-facts';
import { NodesModule } from '#libs/nodes';

import { EventWire } from '../../../realtime/event-wire.js';
import { CloudikeEventWire } from './cloudike-event-wire.js';
import { EventPresenter } from './event.presenter.js';
import { EventsController } from './events.controller.js';

/** Controllers of the routes of events and notices. */
export const EVENT_CONTROLLERS = [EventsController];
export const EVENT_PROVIDERS = [EventPresenter, { provide: Clock, useClass: SystemClock }];
/** What they need. */
export const EVENT_MODULES = [EventsModule, NodesModule, NodeFactsModule];

/** How websockets speak to clients of this dialect. */
@Module({
  imports: [NodesModule, NodeFactsModule],
  providers: [EventPresenter, { provide: EventWire, useClass: CloudikeEventWire }],
  exports: [EventWire],
})
export class CloudikeEventWireModule {}
