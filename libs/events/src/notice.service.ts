import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, newId, randomHex } from '#libs/kernel';
import { Signals } from '#libs/signals';

import { type NoticeFilter, NoticeRepository, type NoticeView } from './repositories/notice.repository.js';

const MAX_NOTICES = 1_000;
const MAX_TEXT_BYTES = 8_192;

/** Channel of libs/signals: a notice for everybody was made. The payload is its id. */
export const ANNOUNCEMENTS_CHANNEL = 'announcements';

/** What is made for a person to read: questions (invitations, requests), news, and announcements for everybody. */
@Injectable()
export class NoticeService {
  constructor(
    private readonly notices: NoticeRepository,
    private readonly signals: Signals,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** The newest 1,000 notices, newest first, as they were before this call; new ones count as viewed from now on. A question stays `waiting` until it is answered. */
  async list(actor: AccountActor, filter: NoticeFilter): Promise<NoticeView[]> {
    const found = await this.notices.list(actor.accountId, filter, MAX_NOTICES);
    const fresh = found.filter((notice) => notice.status === 'new').map((notice) => notice.id);
    if (fresh.length > 0) await this.notices.markViewed(actor.accountId, fresh, this.clock.nowMs());
    return found;
  }

  /** Makes a notice for everybody. FORBIDDEN for all but a system administrator. */
  async announce(actor: AccountActor, text: string): Promise<void> {
    if (actor.role !== 'admin') throw new DomainError('FORBIDDEN', 'Only a system administrator may do this.');
    const bytes = Buffer.byteLength(text);
    if (bytes === 0 || bytes > MAX_TEXT_BYTES) throw new DomainError('INVALID_ARGUMENT', `The text must have 1 to ${MAX_TEXT_BYTES} bytes.`);
    const nowMs = this.clock.nowMs();
    const id = newId(nowMs);
    await this.notices.insertGlobal({ id, hash: randomHex(16), action: 'announcement', actorId: actor.accountId, text, nowMs });
    await this.unitOfWork.afterCommit(() => this.signals.publish(ANNOUNCEMENTS_CHANNEL, id));
  }
}
