import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock, DomainError, type GuestActor } from '#libs/kernel';
import { UploadSessionRepository } from '#libs/nodes';

/** Uploads of guests that one pass (a link) may have open at once: begun, not confirmed, not given up. */
const MOST_OPEN_OF_PASS = 1_000;
/** Own uploads that an account may have open at once. */
const MOST_OPEN_OF_ACCOUNT = 20_000;

/** An account is counted again after so many uploads, so that counting costs next to nothing. */
const COUNTED_EVERY = 256;
const MOST_REMEMBERED = 10_000;
const RETRY_AFTER_MS = 60_000;

/** Keeps people from opening uploads without end: an open one holds a row for as long as STOWAGE_UPLOAD_TTL_SECONDS, also when nothing ever comes. */
@Injectable()
export class OpenUploads {
  /** By account: how many it may open before it is counted again. */
  private readonly left = new Map<number, number>();

  constructor(
    private readonly sessions: UploadSessionRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs `open`, which opens one upload, unless too many are open (RATE_LIMITED). For a pass that is exact, whoever comes at once and to whatever process;
   * for an account what is under way in other processes is not counted yet. Uploads of guests do not count for the account that gave the pass.
   */
  async within(accountId: number, guest: GuestActor | undefined, open: () => Promise<void>): Promise<void> {
    if (!guest) {
      await this.takeOne(accountId);
      return open();
    }
    await this.unitOfWork.run(async () => {
      await this.sessions.lockPass(guest.passId);
      if ((await this.count(accountId, guest.passId, MOST_OPEN_OF_PASS)) >= MOST_OPEN_OF_PASS) throw tooMany('this link');
      await open();
    });
  }

  private async takeOne(accountId: number): Promise<void> {
    if ((this.left.get(accountId) ?? 0) === 0) {
      const room = MOST_OPEN_OF_ACCOUNT - (await this.count(accountId, null, MOST_OPEN_OF_ACCOUNT));
      if (room <= 0) throw tooMany('this account');
      if (this.left.size >= MOST_REMEMBERED) this.left.clear();
      this.left.set(accountId, Math.min(room, COUNTED_EVERY));
    }
    this.left.set(accountId, Math.max(0, this.left.get(accountId)! - 1));
  }

  private count(accountId: number, passId: string | null, most: number): Promise<number> {
    return this.sessions.countOpen(accountId, passId, this.clock.now(), most);
  }
}

function tooMany(whose: string): DomainError {
  return new DomainError('RATE_LIMITED', `Too many uploads of ${whose} are open; confirm some or try again later.`, { retryAfterMs: RETRY_AFTER_MS });
}
