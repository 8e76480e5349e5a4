import { Injectable } from '@nestjs/common';

import { AccountDirectory } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { Clock, DomainError } from '#libs/kernel';
import { Limiter } from '#libs/limiter';
import { isMailAddress, Mailer } from '#libs/mail';
import { Logger } from '#libs/observability';

import { linkNotFound } from './link.js';
import type { OpenedLink } from './link-door.js';
import { linkUsedMail } from './notice-mail.js';
import { LinkRepository } from './repositories/link.repository.js';

const MAILS_PER_WINDOW = 20;
const BUILDS_PER_WINDOW = 30;
const WINDOW_MS = 3_600_000;
const MAIL_LOGIN = 'email:';

/** Counts what is taken through links, and tells their issuers who want to know. */
@Injectable()
export class LinkUsage {
  private readonly logger: Logger;

  constructor(
    private readonly links: LinkRepository,
    private readonly directory: AccountDirectory,
    private readonly mailer: Mailer,
    private readonly limiter: Limiter,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'links' });
  }

  /**
   * Does `work` and counts it as one whole download, both or neither: a limited link gives no more than its limit, however many come at once.
   * `work` runs in a transaction. LINK_NOT_FOUND when the link is used up or has ended meanwhile.
   */
  async counted<T>(opened: OpenedLink, work: () => Promise<T>): Promise<T> {
    const { result, notify } = await this.unitOfWork.run(async () => {
      const result = await work();
      // Last, because the row of the link is held from here to the end of the transaction.
      const counted = await this.links.countDownload(opened.link.id, this.clock.now());
      if (!counted) throw linkNotFound('UsedUp');
      return { result, notify: counted.notify };
    });
    if (notify) await this.tell(opened, 'download');
    return result;
  }

  /**
   * As `counted`, for work whose outcome is kept in the store for a while: 30 times an hour for one link, so that nobody fills the store with what
   * it holds already. RATE_LIMITED.
   */
  async built<T>(opened: OpenedLink, work: () => Promise<T>): Promise<T> {
    const slot = await this.limiter.take(`link-build:${opened.link.id}`, BUILDS_PER_WINDOW, WINDOW_MS);
    if (!slot.granted)
      throw new DomainError('RATE_LIMITED', 'Too many archives of this link were asked for; try again later.', { retryAfterMs: slot.retryAfterMs });
    try {
      return await this.counted(opened, work);
    } catch (error) {
      await slot.release();
      throw error;
    }
  }

  /** Tells the issuer that somebody is leaving a file. */
  async uploadBegun(opened: OpenedLink): Promise<void> {
    if (opened.link.notify) await this.tell(opened, 'upload');
  }

  /** A mail that cannot be written is no reason to refuse what it is about. At most 20 an hour for one link. */
  private async tell({ link, root }: OpenedLink, what: 'download' | 'upload'): Promise<void> {
    try {
      const issuer = (await this.directory.find([link.issuerId])).get(link.issuerId);
      const to = issuer?.login.startsWith(MAIL_LOGIN) ? issuer.login.slice(MAIL_LOGIN.length) : '';
      if (!isMailAddress(to)) return;
      const slot = await this.limiter.take(`link-notice:${link.id}`, MAILS_PER_WINDOW, WINDOW_MS);
      if (slot.granted) await this.mailer.send({ to, ...linkUsedMail(issuer!.lang, root.name, what) });
    } catch (error) {
      this.logger.warn('the issuer of a link could not be told of its use', { linkId: link.id, error });
    }
  }
}
