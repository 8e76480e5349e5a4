import type { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { AdminRights, checkedName, ProfileService } from '#libs/accounts';
import { BlobStore } from '#libs/blob-store';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, newId, randomHex, randomUrlSafe, sha256 } from '#libs/kernel';
import { Limiter } from '#libs/limiter';
import { DerivedObjectRepository } from '#libs/nodes';
import { Settings } from '#libs/settings';

import { type FeedbackOrder, FeedbackRepository, type FeedbackRow } from './repositories/feedback.repository.js';

const HOUR_MS = 3_600_000;
const FEEDBACK_PER_HOUR = 20;
const LOGS_PER_HOUR = 5;
const TICKET_BYTES = 24;
const TICKET_LIFE_MS = HOUR_MS;
/** Largest log of a program. */
export const MAX_LOG_BYTES = 20 * 1024 * 1024;
const LOG_KEPT_MS = 90 * 24 * HOUR_MS;
const LOG_LINK_SECONDS = 3_600;
const CONTENT_TYPE = 'application/octet-stream';
const MAX_PAGE = 2_000;

/** Feedback as administrators read it. `logUrl` works for an hour and needs no header; null = no log. */
export interface FeedbackEntry extends Omit<FeedbackRow, 'logKey'> {
  readonly logUrl: string | null;
}

/** What people say about the house. */
@Injectable()
export class FeedbackService {
  constructor(
    private readonly rows: FeedbackRepository,
    private readonly rights: AdminRights,
    private readonly profiles: ProfileService,
    private readonly settings: Settings,
    private readonly limiter: Limiter,
    private readonly derived: DerivedObjectRepository,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Keeps what somebody says; without `email` his own address stands there. `ticket` lets one log in within an hour, null where none is wanted.
   * FORBIDDEN while the setting `feedback_enabled` is off, RATE_LIMITED (20 an hour), INVALID_ARGUMENT.
   */
  async leave(
    actor: AccountActor,
    said: { readonly comment: string; readonly name?: string | undefined; readonly email?: string | undefined; readonly userAgent: string },
  ): Promise<{ readonly ticket: string | null }> {
    await this.settings.require('feedback_enabled', 'Feedback is not wanted at the moment.');
    const { account, logins } = await this.profiles.ofAccount(actor.accountId);
    const name = checkedName(said.name || account.name);
    const own = logins.find((login) => login.kind === 'email' && login.confirmedMs !== null)?.value ?? '';
    const email = checkedName(said.email || own, 'An address');
    await this.limit(`feedback:${actor.accountId}`, FEEDBACK_PER_HOUR);
    const ticket = (await this.settings.get('feedback_logs_enabled')) ? randomUrlSafe(TICKET_BYTES) : null;
    const now = this.clock.now();
    await this.rows.insert({
      id: newId(now.getTime()),
      accountId: actor.accountId,
      text: said.comment,
      name,
      email,
      userAgent: said.userAgent.slice(0, 512),
      createdAt: now,
      ticketSha256: ticket === null ? null : sha256(ticket),
      ticketExpiresAt: ticket === null ? null : new Date(now.getTime() + TICKET_LIFE_MS),
    });
    return { ticket };
  }

  /** Takes the one log of a feedback, for 90 days. NODE_NOT_FOUND for a ticket that is unknown, used or too old; TOO_LARGE above 20 MiB, RATE_LIMITED. */
  async takeLog(ticket: string, body: () => Promise<Readable>): Promise<void> {
    const feedback = await this.rows.findOpen(sha256(ticket), this.clock.now());
    if (feedback === null) throw logNotWanted();
    await this.limit(`feedback-log:${feedback.id}`, LOGS_PER_HOUR);
    const random = randomHex(16);
    const storeKey = `derived/${random.slice(0, 2)}/${random}`;
    // In the ledger before its first byte; what a crash leaves behind goes with the ticket.
    await this.derived.insert({
      storeKey,
      accountId: feedback.accountId,
      kind: 'log',
      fileName: `feedback-${feedback.id}.log`,
      contentType: CONTENT_TYPE,
      expiresAt: this.inMs(TICKET_LIFE_MS),
    });
    try {
      const { sizeBytes } = await this.store.put(storeKey, await body(), { maxBytes: MAX_LOG_BYTES, contentType: CONTENT_TYPE });
      await this.unitOfWork.run(async () => {
        const isKept =
          (await this.derived.renew(storeKey, this.inMs(LOG_KEPT_MS))) &&
          (await this.derived.markReady(storeKey, sizeBytes)) &&
          (await this.rows.setLog(feedback.id, storeKey));
        if (!isKept) throw logNotWanted();
      });
    } catch (error) {
      await this.derived.giveUp(storeKey, this.clock.now());
      throw error;
    }
  }

  /** A page of what was said, for administrators of the system. `limit` 0 and larger ones end at 2,000. FORBIDDEN. */
  async list(
    actor: AccountActor,
    page: { readonly orderBy: FeedbackOrder; readonly descending: boolean; readonly offset: number; readonly limit: number },
  ): Promise<{ readonly entries: FeedbackEntry[]; readonly count: number }> {
    await this.rights.requireSystemAdmin(actor);
    const limit = page.limit === 0 ? MAX_PAGE : Math.min(page.limit, MAX_PAGE);
    const { rows, count } = await this.rows.page({ ...page, limit }, this.clock.now());
    return { entries: await Promise.all(rows.map((row) => this.entryOf(row))), count };
  }

  private async entryOf({ logKey, ...row }: FeedbackRow): Promise<FeedbackEntry> {
    if (logKey === null) return { ...row, logUrl: null };
    const logUrl = await this.store.presignGet({
      key: logKey,
      expiresInSeconds: LOG_LINK_SECONDS,
      fileName: `feedback-${row.id}.log`,
      contentType: CONTENT_TYPE,
      disposition: 'attachment',
    });
    return { ...row, logUrl };
  }

  private async limit(bucket: string, count: number): Promise<void> {
    const slot = await this.limiter.take(bucket, count, HOUR_MS);
    if (!slot.granted) throw new DomainError('RATE_LIMITED', 'That was a lot; try again later.', { retryAfterMs: slot.retryAfterMs });
  }

  private inMs(ms: number): Date {
    return new Date(this.clock.nowMs() + ms);
  }
}

function logNotWanted(): DomainError {
  return new DomainError('NODE_NOT_FOUND', 'No log is waited for here: the address is unknown, was used already, or has ended.');
}
