import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { FilesModule } from '#libs/files';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';
import { NodesModule } from '#libs/nodes';
import { QueueModule } from '#libs/queue';
import { SignalsModule } from '#libs/signals';
import { TrashModule } from '#libs/trash';

import { RoomEventRepository } from './repositories/room-event.repository.js';
import { RoomFileRepository } from './repositories/room-file.repository.js';
import { RoomRepository } from './repositories/room.repository.js';
import { RoomEvents } from './room-events.service.js';
import { RoomFiles } from './room-files.service.js';
import { RoomLog } from './room-log.js';
import { SweepRoomsJob } from './room-sweep.job.js';
import { Rooms } from './rooms.service.js';

/** Groups of people who exchange files for a while, without accounts. */
@Module({
  imports: [DatabaseModule, AccountsModule, BlobStoreModule, FilesModule, LimiterModule, NodesModule, QueueModule, SignalsModule, TrashModule],
  providers: [
    ...[{ provide: Clock, useClass: SystemClock }, RoomRepository, RoomFileRepository, RoomEventRepository, RoomLog],
    ...[Rooms, RoomFiles, RoomEvents],
  ],
  exports: [Rooms, RoomFiles, RoomEvents, RoomRepository, RoomFileRepository, RoomLog],
})
export class RoomsModule {}

/** The job of rooms; for the worker. */
@Module({ imports: [RoomsModule, DatabaseModule, FilesModule, NodesModule], providers: [{ provide: Clock, useClass: SystemClock }, SweepRoomsJob] })
export class RoomJobsModule {}
