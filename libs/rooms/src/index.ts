export {
  type JoinRoom,
  ROOM_LIMITS,
  type RoomEvent,
  type RoomEventType,
  type RoomFile,
  type RoomMember,
  type RoomPass,
  type RoomPerson,
  type RoomRole,
  type RoomView,
  type RoomWish,
  type StartFile,
} from './room.js';
export { RoomEvents } from './room-events.service.js';
export { type PartToPut, RoomFiles } from './room-files.service.js';
export { ROOMS_CHANNEL } from './room-log.js';
export { SweepRoomsJob } from './room-sweep.job.js';
export { RoomJobsModule, RoomsModule } from './rooms.module.js';
export { type Joined, type Presence, Rooms } from './rooms.service.js';
