import { Injectable, type OnModuleDestroy } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { Clock, DomainError } from '#libs/kernel';
import { HandlesJob, type JobHandler, type JobPayload, Outbox } from '#libs/queue';

import { type MailTransport, mailTransport } from './mail-transport.js';
import { isMailAddress, type Mail } from './message.js';

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
  ) {
    this.transport = mailTransport(config);
  }

  handle(payload: JobPayload<'mail.send'>): Promise<void> {
    return this.transport.deliver(payload, this.clock.now());
  }

  onModuleDestroy(): void {
    this.transport.close();
  }
}
