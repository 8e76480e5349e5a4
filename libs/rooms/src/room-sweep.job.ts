import { UnitOfWork } from '#libs/database';
import { StoreJanitor } from '#libs/files';
import { Clock } from '#libs/kernel';
import { Purger, PurgeRepository, SpaceRepository, SpaceService, UploadSessionRepository } from '#libs/nodes';
import { HandlesJob, type JobContext, type JobHandler, type JobPayload } from '#libs/queue';

import { type EndedRoom, RoomRepository } from './repositories/room.repository.js';
import { RoomFileRepository } from './repositories/room-file.repository.js';
import { RoomFiles } from './room-files.service.js';
import { RoomLog } from './room-log.js';

const BATCH = 100;
const ROWS_A_BATCH = 1_000;
/** How long the row of an ended room stays, for those who still tell its members. */
const LINGER_MS = 5_000;

/** Ends rooms whose time, or whose key, is over, and removes what ended rooms hold: bytes, files, people. It can be killed anywhere and run again. */
@HandlesJob('rooms.sweep')
export class SweepRoomsJob implements JobHandler<'rooms.sweep'> {
  constructor(
    private readonly rooms: RoomRepository,
    private readonly files: RoomFileRepository,
    private readonly keeper: RoomFiles,
    private readonly log: RoomLog,
    private readonly uploads: UploadSessionRepository,
    private readonly janitor: StoreJanitor,
    private readonly marks: PurgeRepository,
    private readonly purger: Purger,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  async handle(_payload: JobPayload<'rooms.sweep'>, { signal }: Pick<JobContext, 'signal'>): Promise<void> {
    const errors: unknown[] = [];
    // A room that cannot be ended or removed keeps no other from it.
    const each = (work: Promise<unknown>) => work.catch((error: unknown) => errors.push(error));
    for (const roomId of await this.rooms.due(this.clock.now(), BATCH)) {
      signal.throwIfAborted();
      await each(this.expire(roomId));
    }
    for (let last: EndedRoom | null = null; ;) {
      const rooms: EndedRoom[] = await this.rooms.ended(last, BATCH);
      for (const room of rooms) {
        signal.throwIfAborted();
        await each(this.clear(room, signal));
      }
      last = rooms.at(-1) ?? null;
      if (rooms.length < BATCH) break;
    }
    await this.keeper.sweepParts(BATCH);
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} rooms could not be ended or removed`);
  }

  private async expire(roomId: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      if (!(await this.rooms.lockAny(roomId))) return;
      await this.rooms.end(roomId, this.clock.now());
      await this.log.tell(roomId, 'room-expired', {});
    });
  }

  private async clear({ id, spaceId, rootId, endedAt }: EndedRoom, signal: AbortSignal): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.rooms.lockAny(id);
      await this.files.dropParts({ roomId: id }, this.clock.now());
      await this.uploads.endLeasesInto(spaceId, this.clock.now());
    });
    await this.janitor.reapUploads(signal);
    const mark = () =>
      this.unitOfWork.run(async () => {
        await this.spaces.lock(spaceId);
        return this.marks.markAll(spaceId, rootId, ROWS_A_BATCH, this.clock.now());
      });
    while ((await mark()) > 0) signal.throwIfAborted();
    await this.purger.all(spaceId, () => Promise.resolve(signal.throwIfAborted()));
    if (this.clock.nowMs() - endedAt.getTime() < LINGER_MS) return;
    await this.unitOfWork.run(async () => {
      await this.spaces.lock(spaceId);
      // what is still in it goes the next time
      await this.spaceRows.remove(spaceId);
    });
  }
}
