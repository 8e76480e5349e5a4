import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Test, type TestingModule } from '@nestjs/testing';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { BlobStore } from '#libs/blob-store';
import { AppConfig, ConfigModule } from '#libs/config';
import { Database, DatabaseModule, UnitOfWork } from '#libs/database';
import { isDomainError } from '#libs/kernel';
import { confirmMail, inviteMail, type Mail, MAIL_LANGUAGES, Mailer, MailModule, MAX_ATTACHMENT_BYTES, recoverMail, SendMailJob } from '#libs/mail';
import { Logger, ObservabilityModule } from '#libs/observability';
import { FinalJobError } from '#libs/queue';

import { createTestDatabase, type TestDatabase } from '../support/services.js';

const LINK = `https://stowage.example.org/api/1/accounts/approve/?hash=${'a1'.repeat(32)}`;
let database: TestDatabase;
let app: TestingModule | undefined;
let dataDir: string;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => database?.drop());
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stowage-mail-'));
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  await rm(dataDir, { recursive: true, force: true });
});

async function start(env: Record<string, string> = {}): Promise<TestingModule> {
  const config = new AppConfig({ DATABASE_URL: database.url, STOWAGE_SECRET_KEY: 'k'.repeat(40), STOWAGE_DATA_DIR: dataDir, ...env });
  app = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(config),
      ObservabilityModule.forRoot(Logger.create('silent')),
      DatabaseModule.forRoot({ url: database.url, poolSize: 3, statementTimeoutMs: 10_000, applicationName: 'test' }),
      MailModule,
    ],
  }).compile();
  return app.init();
}

const mail = (change: Partial<Mail> = {}): Mail => ({ to: 'ivan@example.org', ...confirmMail('en', LINK, 72), ...change });
const deliver = (at: TestingModule, message: Mail) => at.get(SendMailJob).handle(message);
/** Head and body of a message; folded header lines joined. */
const parsed = (message: string) => {
  const end = message.indexOf('\r\n\r\n');
  return {
    head: message
      .slice(0, end)
      .replace(/\r\n[ \t]/g, ' ')
      .split('\r\n'),
    body: message.slice(end + 4),
  };
};

describe('mailer', () => {
  it('leaves a mail if and only if the transaction commits', async () => {
    const house = await start();
    const unitOfWork = house.get(UnitOfWork);
    const failure = unitOfWork.run(async () => {
      await house.get(Mailer).send(mail());
      throw new Error('something else went wrong');
    });
    await expect(failure).rejects.toThrow('something else');
    const waiting = () => house.get(Database).query<{ payload: Mail }>(`SELECT payload FROM outbox WHERE job = 'mail.send'`);
    expect(await waiting()).toEqual([]);
    await unitOfWork.run(() => house.get(Mailer).send(mail()));
    expect((await waiting()).map((row) => row.payload)).toEqual([mail()]);
  });

  it.each([
    '',
    'nobody',
    'a@b, c@d',
    'a@b\r\nBcc: c@d',
    'a@b\nX: y',
    '<a@b>',
    'A <a@b>',
    'a @b',
    'a@b;c@d',
    `${'x'.repeat(251)}@b.c`,
    'a\u0000@b',
    'a\u0085@b',
  ])('refuses recipient %#', async (to) => {
    const refused = await (
      await start()
    )
      .get(Mailer)
      .send(mail({ to }))
      .catch((error: unknown) => error);
    expect(isDomainError(refused, 'INVALID_ARGUMENT')).toBe(true);
  });
});

describe('file outbox', () => {
  it('carries a file of the store beside the text, and gives up when that is gone or too large', async () => {
    const house = await start();
    const store = house.get(BlobStore, { strict: false });
    await store.prepare();
    const bytes = randomBytes(10_000);
    await store.put('derived/aa/report', bytes);
    const attachment = { storeKey: 'derived/aa/report', fileName: 'users-2026-11-21.csv', contentType: 'text/csv; charset=utf-8' };
    await deliver(house, mail({ text: 'Grüße', attachment }));
    const [name] = await readdir(join(dataDir, 'outbox'));
    const { head, body } = parsed(await readFile(join(dataDir, 'outbox', name!), 'utf8'));
    const boundary = /^Content-Type: multipart\/mixed; boundary="(.+)"$/.exec(head.find((line) => line.startsWith('Content-Type'))!)![1]!;
    const [, text, file, end] = body.split(`--${boundary}`);
    expect(text).toContain('Grüße');
    expect(file).toContain('Content-Disposition: attachment; filename="users-2026-11-21.csv"');
    expect(Buffer.from(file!.slice(file!.indexOf('\r\n\r\n')), 'base64').equals(bytes)).toBe(true);
    expect(file!.split('\r\n').every((line) => line.length <= 76)).toBe(true);
    expect(end).toBe('--\r\n');
    const gone = { ...attachment, storeKey: 'derived/aa/gone' };
    await expect(deliver(house, mail({ attachment: gone }))).rejects.toThrow(FinalJobError);
    await store.put('derived/aa/large', Buffer.alloc(MAX_ATTACHMENT_BYTES + 1));
    await expect(deliver(house, mail({ attachment: { ...attachment, storeKey: 'derived/aa/large' } }))).rejects.toThrow(FinalJobError);
    await expect(deliver(house, mail({ attachment: { ...attachment, fileName: 'a"\r\nX: y' } }))).rejects.toThrow('plain name');
  });

  it('holds one private file a mail, in which the link stands on a line of its own', async () => {
    const house = await start();
    await Promise.all(MAIL_LANGUAGES.map((lang) => deliver(house, mail(confirmMail(lang, LINK, 72)))));
    const outbox = join(dataDir, 'outbox');
    const names = await readdir(outbox);
    expect(names.filter((name) => name.endsWith('.eml'))).toHaveLength(MAIL_LANGUAGES.length);
    expect(names).toHaveLength(MAIL_LANGUAGES.length);
    expect((await stat(outbox)).mode & 0o777).toBe(0o700);
    const subjects = new Set<string>();
    for (const name of names) {
      expect((await stat(join(outbox, name))).mode & 0o777).toBe(0o600);
      const { head, body } = parsed(await readFile(join(outbox, name), 'utf8'));
      expect(body.split('\r\n')).toContain(LINK);
      expect(head).toEqual(expect.arrayContaining(['From: Stowage <no-reply@localhost>', 'To: ivan@example.org', 'MIME-Version: 1.0']));
      subjects.add(head.find((line) => line.startsWith('Subject: '))!);
    }
    expect(subjects.size).toBe(MAIL_LANGUAGES.length);
    expect(subjects).toContain('Subject: Confirm your e-mail address');
  });

  it('fails loudly and leaves no part of a mail when the folder cannot be written', async () => {
    const house = await start();
    await writeFile(join(dataDir, 'outbox'), 'not a folder');
    await expect(deliver(house, mail())).rejects.toThrow();
    await rm(join(dataDir, 'outbox'));
    await deliver(house, mail());
    expect((await readdir(join(dataDir, 'outbox'))).filter((name) => !name.endsWith('.eml'))).toEqual([]);
  });

  it('cannot be given further headers by subject or text', async () => {
    const house = await start({ STOWAGE_MAIL_FROM: 'Größe <büro@example.org>' });
    const evil = 'Hello\r\nBcc: victim@example.org\n\nX-Evil: 1\u2028Y: 2\u0000';
    await deliver(house, mail({ subject: evil, text: `Bcc: body@example.org\r\n.\r\nEND`, html: '<p>Grüße</p>' }));
    const [name] = await readdir(join(dataDir, 'outbox'));
    const { head, body } = parsed(await readFile(join(dataDir, 'outbox', name!), 'utf8'));
    expect(head.map((line) => line.split(':')[0])).toEqual([
      'From',
      'To',
      'Subject',
      'Date',
      'Message-ID',
      'Auto-Submitted',
      'MIME-Version',
      'Content-Type',
    ]);
    expect(head.find((line) => line.startsWith('Subject'))).toBe('Subject: Hello Bcc: victim@example.org X-Evil: 1 Y: 2');
    expect(head[0]).toBe(`From: =?UTF-8?B?${Buffer.from('Größe').toString('base64')}?= <büro@example.org>`);
    expect(body).toContain('<p>Grüße</p>');
  });

  it('encodes long subjects without splitting a character', async () => {
    const house = await start();
    const subject = 'Привет, мир 👋🏽 '.repeat(12).trim();
    await deliver(house, mail({ subject }));
    const [name] = await readdir(join(dataDir, 'outbox'));
    const { head } = parsed(await readFile(join(dataDir, 'outbox', name!), 'utf8'));
    const words = [...head.find((line) => line.startsWith('Subject'))!.matchAll(/=\?UTF-8\?B\?([^?]*)\?=/g)];
    expect(words.map((word) => new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(word[1]!, 'base64'))).join('')).toBe(subject);
    expect(Math.max(...words.map((word) => word[0].length))).toBeLessThanOrEqual(75);
  });
});

describe('SMTP', () => {
  let server: SMTPServer | undefined;
  let received: { from: string; to: string[]; data: string }[];

  async function smtp(options: SMTPServerOptions = {}): Promise<string> {
    received = [];
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      logger: false,
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('end', () => {
            const { mailFrom, rcptTo } = session.envelope;
            received.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map((to) => to.address), data: Buffer.concat(chunks).toString() });
            done();
          });
      },
      ...options,
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  }
  afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())));

  it('delivers to a real server, with user and password, whatever the language', async () => {
    const login: string[] = [];
    const address = await smtp({
      authOptional: false,
      onAuth: (auth, _session, done) => {
        login.push(auth.username ?? '', auth.password ?? '');
        done(null, { user: auth.username ?? '' });
      },
    });
    const house = await start({ SMTP_URL: `smtp://mailer:s%40crt@${address}`, STOWAGE_MAIL_FROM: 'Stowage <stowage@example.org>' });
    await deliver(house, mail());
    await deliver(house, mail(recoverMail('ru', LINK, 24)));
    expect(login.slice(0, 2)).toEqual(['mailer', 's@crt']);
    expect(received.map(({ from, to }) => ({ from, to }))).toEqual(Array(2).fill({ from: 'stowage@example.org', to: ['ivan@example.org'] }));
    expect(parsed(received[0]!.data).body.split('\r\n')).toContain(LINK);
    const russian = parsed(received[1]!.data);
    expect(russian.head).toContain('Content-Transfer-Encoding: base64');
    expect(Buffer.from(russian.body, 'base64').toString().split('\r\n')).toEqual(expect.arrayContaining([LINK, 'Она действует 24 ч.']));
  });

  it('gives up for good on what the server refuses for good, and only on that', async () => {
    const refuse =
      (code: number): SMTPServerOptions['onRcptTo'] =>
      (address, _session, done) => {
        const error: Error & { responseCode?: number } = new Error('no');
        error.responseCode = address.address.startsWith('ok') ? undefined : code;
        done(error.responseCode ? error : null);
      };
    const house = await start({ SMTP_URL: `smtp://${await smtp({ onRcptTo: refuse(550) })}` });
    await expect(deliver(house, mail())).rejects.toBeInstanceOf(FinalJobError);
    await deliver(house, mail({ to: 'ok@example.org' }));
    expect(received).toHaveLength(1);
    await app?.close();
    await new Promise<void>((resolve) => server!.close(() => resolve()));
    const busy = await start({ SMTP_URL: `smtp://${await smtp({ onRcptTo: refuse(451) })}` });
    const later = await deliver(busy, mail()).catch((error: unknown) => error);
    expect(later).toBeInstanceOf(Error);
    expect(later).not.toBeInstanceOf(FinalJobError);
  });

  it('fails for another attempt when nobody listens', async () => {
    const house = await start({ SMTP_URL: 'smtp://127.0.0.1:1' });
    const failure = await deliver(house, mail()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(FinalJobError);
  });

  it('never lets a text end the message early', async () => {
    const house = await start({ SMTP_URL: `smtp://${await smtp()}` });
    const invite = inviteMail('en', LINK, 336, 'Eve', 'one\r\n.\r\nRCPT TO:<other@example.org>');
    await deliver(house, mail(invite));
    expect(received).toHaveLength(1);
    expect(received[0]!.data).toContain('RCPT TO:<other@example.org>');
    expect(received[0]!.data).toContain(LINK);
  });
});
