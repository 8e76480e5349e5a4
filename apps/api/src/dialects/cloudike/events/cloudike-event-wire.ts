import { Injectable } from '@nestjs/common';

import type { EventView, StorageFigures } from '#libs/events';

import { EventWire } from '../../../realtime/event-wire.js';
import { EventPresenter } from './event.presenter.js';

/** What websockets push, as clients of this dialect read it. */
@Injectable()
export class CloudikeEventWire extends EventWire {
  constructor(private readonly presenter: EventPresenter) {
    super();
  }

  events(events: readonly EventView[]): Promise<object[]> {
    return this.presenter.present(events);
  }

  subscribed(accountId: number, cursor: string, nowMs: number): object {
    return { type: 'subscribed', timestamp: nowMs, user_id: accountId, cursor };
  }

  storage(accountId: number, { usedBytes, limitBytes }: StorageFigures, nowMs: number): object {
    return { type: 'storage_info', timestamp: nowMs, user_id: accountId, home_storage_size: usedBytes, hard_quota_size: limitBytes };
  }

  announcement(accountId: number, noticeId: string, nowMs: number): object {
    return { type: 'announcement', timestamp: nowMs, user_id: accountId, id: noticeId };
  }

  check(accountId: number, nowMs: number): object {
    return { type: 'check_ws', timestamp: nowMs, user_id: accountId };
  }
}
