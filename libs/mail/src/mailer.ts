import { Injectable, type OnModuleDestroy } from '@nestjs/common';

import { BlobStore } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { Clock, DomainError } from '#libs/kernel';
import { FinalJobError, HandlesJob, type JobHandler, type JobPayload, Outbox } from '#libs/queue';

import { type MailTransport, mailTransport } from './mail-transport.js';
import { isMailAddress, type Mail, type MailAttachment } from './message.js';

/** Largest attachment: a mail of it in base64 is below what mail servers usually take. */
export const MAX_ATTACHMENT_BYTES = 15 * 1024 * 1024;

/** Where use cases leave their mails. */
@Injectable()
export class Mailer {
  constructor(private readonly outbox: Outbox) {}

  /** Leaves `mail` in the surrounding transaction; the worker delivers it if and only if that commits. INVALID_ARGUMENT for a bad address. */
  async send(mail: Mail): Promise<void> {
    if (!isMailAddress(mail.to)) throw new DomainError('INVALID_ARGUMENT', 'This is not an e-mail address.');
    await this.outbox.add('mail.send', mail);
  }
}

/** Delivers one mail. A run that was killed after the hand-over sends the mail a second time: better twice than never. */
@HandlesJob('mail.send')
export class SendMailJob implements JobHandler<'mail.send'>, OnModuleDestroy {
  private readonly transport: MailTransport;

  constructor(
    config: AppConfig,
    private readonly clock: Clock,
    private readonly store: BlobStore,
  ) {
    this.transport = mailTransport(config);
  }

  async handle(payload: JobPayload<'mail.send'>): Promise<void> {
    await this.transport.deliver(payload, this.clock.now(), payload.attachment ? await this.bytesOf(payload.attachment) : null);
  }

  private async bytesOf({ storeKey }: MailAttachment): Promise<Buffer> {
    const head = await this.store.head(storeKey);
    if (head === null) throw new FinalJobError('what was to be attached is gone');
    if (head.sizeBytes > MAX_ATTACHMENT_BYTES) throw new FinalJobError('what was to be attached is too large for a mail');
    return this.store.getWhole(storeKey);
  }

  onModuleDestroy(): void {
    this.transport.close();
  }
}
