import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { createTransport, type Transporter } from 'nodemailer';

import type { AppConfig } from '#libs/config';
import { FinalJobError } from '#libs/queue';

import { addressOf, composeMessage, type Mail } from './message.js';

const TIMEOUT_MS = 15_000;

/** Hands a mail over. Throws when it must be tried again, FinalJobError when trying again cannot help. */
export interface MailTransport {
  /** `attached`: the bytes of the mail's attachment. */
  deliver(mail: Mail, date: Date, attached: Buffer | null): Promise<void>;
  close(): void;
}

/** The transport of this deployment: SMTP when it is configured, else files. */
export function mailTransport(config: AppConfig): MailTransport {
  const { smtpUrl, from, outboxDir } = config.mail;
  return smtpUrl === undefined ? new FileTransport(outboxDir, from) : new SmtpTransport(smtpUrl, from);
}

/** Mail by SMTP, with one connection per mail and a limit on every wait. */
export class SmtpTransport implements MailTransport {
  private readonly transporter: Transporter;

  constructor(
    url: string,
    private readonly from: string,
  ) {
    this.transporter = createTransport({
      url,
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
      dnsTimeout: TIMEOUT_MS,
    });
  }

  async deliver(mail: Mail, date: Date, attached: Buffer | null): Promise<void> {
    const raw = composeMessage(mail, this.from, date, 'base64', attached);
    try {
      await this.transporter.sendMail({ envelope: { from: addressOf(this.from), to: [mail.to] }, raw });
    } catch (error) {
      // RFC 5321: a 5xx answer to the recipient or the message is a permanent failure; everything else may pass.
      const { responseCode, command } = error as { responseCode?: number; command?: string };
      const permanent = responseCode !== undefined && responseCode >= 500 && /^(RCPT TO|DATA)/.test(command ?? '');
      if (permanent) throw new FinalJobError(`the mail server refuses this mail for good (${responseCode})`, { cause: error });
      throw error;
    }
  }

  close(): void {
    this.transporter.close();
  }
}

/** One .eml file a mail, for machines without SMTP. Only the owner of the folder can read it: mails carry one-time links. */
export class FileTransport implements MailTransport {
  constructor(
    private readonly dir: string,
    private readonly from: string,
  ) {}

  async deliver(mail: Mail, date: Date, attached: Buffer | null): Promise<void> {
    const message = composeMessage(mail, this.from, date, '8bit', attached);
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const name = `${date.toISOString().replace(/[:.]/g, '-')}-${randomUUID()}`;
    const part = join(this.dir, `.${name}.part`);
    try {
      const file = await open(part, 'wx', 0o600);
      try {
        await file.writeFile(message);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(part, join(this.dir, `${name}.eml`));
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  close(): void {
    // nothing is open between two mails
  }
}
