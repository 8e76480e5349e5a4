import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blob-store';
import { type AccountActor, Clock, csvLine, DomainError, randomHex } from '#libs/kernel';
import { DerivedObjectRepository } from '#libs/nodes';
import { HandlesTask, type TaskContext, type TaskHandler, TaskService } from '#libs/tasks';

import type { EventView, Position } from './event.js';
import { Feed } from './feed.js';
import type { EventFilter } from './repositories/feed.repository.js';

const PAGE = 500;
const KEPT_MS = 24 * 3_600_000;

/** What a finished log is: an object in the store, noted as derived object, that expires after a day. */
export interface EventLogResult {
  readonly storeKey: string;
  readonly sizeBytes: number;
  readonly events: number;
}

/** Starts logs of events. */
@Injectable()
export class EventLogService {
  constructor(private readonly tasks: TaskService) {}

  /** Starts the task `events.log-file`; its result is an EventLogResult. */
  start(actor: AccountActor, filter: EventFilter): Promise<{ publicId: string }> {
    return this.tasks.start(actor, 'events.log-file', filter);
  }
}

/** Writes the events of an account as CSV (RFC 4180, UTF-8), newest first. Memory stays flat: one page of events. */
@HandlesTask('events.log-file')
export class EventLogTask implements TaskHandler<EventFilter> {
  constructor(
    private readonly feed: Feed,
    private readonly derived: DerivedObjectRepository,
    private readonly store: BlobStore,
    private readonly clock: Clock,
  ) {}

  async run(filter: EventFilter, context: TaskContext): Promise<EventLogResult> {
    const { accountId } = context;
    if (accountId === null) throw new DomainError('TASK_FAILED', 'A log of events belongs to an account.');
    const total = await this.feed.count(accountId, filter);
    const name = randomHex(16);
    const storeKey = `derived/${name.slice(0, 2)}/${name}`;
    const expiresAt = new Date(this.clock.nowMs() + KEPT_MS);
    await this.derived.insert({ storeKey, accountId, kind: 'listing', fileName: 'events.csv', contentType: 'text/csv; charset=utf-8', expiresAt });
    let events = 0;
    const count = async (written: number): Promise<void> => {
      events += written;
      await context.throwIfCancelled();
      await context.saveProgress(Math.min(99, (events / (total + 1)) * 100));
    };
    const { sizeBytes } = await this.store.put(storeKey, Readable.from(this.write(accountId, filter, count)), {
      contentType: 'text/csv; charset=utf-8',
    });
    if (!(await this.derived.markReady(storeKey, sizeBytes))) throw new DomainError('TASK_FAILED', 'The log expired before it was complete.');
    return { storeKey, sizeBytes, events };
  }

  private async *write(accountId: number, filter: EventFilter, count: (written: number) => Promise<void>): AsyncGenerator<Buffer> {
    yield Buffer.from(csvLine(['time', 'type', 'path', 'old_path', 'user_id', 'user_name', 'owner_name', 'size', 'version']));
    for (let position: Position | null = null; ;) {
      const page: EventView[] = await this.feed.before(accountId, filter, position, PAGE);
      if (page.length === 0) return;
      yield Buffer.from(page.map(lineOf).join(''));
      await count(page.length);
      ({ position } = page.at(-1)!);
    }
  }
}

function lineOf({ atMs, type, path, oldPath, actorId, actorName, ownerName, facts }: EventView): string {
  const { size, version } = facts;
  return csvLine([new Date(atMs).toISOString(), type, path, oldPath, actorId, actorName, ownerName, size, version]);
}
