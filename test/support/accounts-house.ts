import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';

import { AccountsModule, type ClientInfo, emailLogin, RegistrationService } from '#libs/accounts';
import { CompaniesModule } from '#libs/companies';
import { AppConfig, ConfigModule } from '#libs/config';
import { Database, DatabaseModule } from '#libs/database';
import { ErasingModule } from '#libs/erasing';
import { OverviewModule } from '#libs/files';
import { type AccountActor, Clock, isDomainError } from '#libs/kernel';
import { Logger, ObservabilityModule } from '#libs/observability';
import { ServiceKeysModule } from '#libs/service-keys';
import { SignInModule } from '#libs/sign-in';

import { createTestDatabase, type TestDatabase } from './services.js';

/** A clock that only moves when it is told to. */
export class HandClock extends Clock {
  private ms = Date.UTC(2026, 10, 21, 12);

  nowMs(): number {
    return this.ms;
  }

  advance(ms: number): void {
    this.ms += ms;
  }
}

export const CLIENT: ClientInfo = { ip: '192.0.2.1', userAgent: 'desktop-client-test' };
export const PASSWORD = 'correct horse battery';
export const MINUTE = 60_000;

/** Accounts on a real database, without HTTP: what one api process has. */
export class AccountsHouse {
  private constructor(
    readonly database: TestDatabase,
    readonly config: AppConfig,
    readonly clock: HandClock,
    readonly get: <T>(token: Type<T> | (abstract new (...args: never[]) => T)) => T,
    private readonly closers: (() => Promise<unknown>)[],
  ) {}

  static async open(env: Record<string, string> = {}): Promise<AccountsHouse> {
    const database = await createTestDatabase();
    const dataDir = await mkdtemp(join(tmpdir(), 'stowage-accounts-'));
    const config = new AppConfig({
      DATABASE_URL: database.url,
      STOWAGE_SECRET_KEY: randomBytes(24).toString('hex'),
      STOWAGE_DATA_DIR: dataDir,
      STOWAGE_PUBLIC_URL: 'http://stowage.test',
      ...env,
    });
    const drop = [() => database.drop(), () => rm(dataDir, { recursive: true, force: true })];
    return AccountsHouse.on(database, config, new HandClock(), drop);
  }

  /** Another process on the same database, with the same clock. */
  another(env?: AppConfig): Promise<AccountsHouse> {
    return AccountsHouse.on(this.database, env ?? this.config, this.clock, []);
  }

  private static async on(database: TestDatabase, config: AppConfig, clock: HandClock, closers: (() => Promise<unknown>)[]): Promise<AccountsHouse> {
    const app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule.forRoot(Logger.create('silent')),
        DatabaseModule.forRoot({ url: config.database.url, poolSize: 8, statementTimeoutMs: 30_000, applicationName: 'test' }),
        AccountsModule,
        CompaniesModule,
        ErasingModule,
        OverviewModule,
        SignInModule,
        ServiceKeysModule,
      ],
    })
      .overrideProvider(Clock)
      .useValue(clock)
      .compile();
    await app.init();
    return new AccountsHouse(database, config, clock, (token) => app.get(token), [() => app.close(), ...closers]);
  }

  /** A confirmed account with `PASSWORD`. */
  async account(email: string, options: { companyId?: number; isCompanyAdmin?: boolean } = {}): Promise<AccountActor> {
    const registration = this.get(RegistrationService);
    const form = await registration.check({ login: emailLogin(email), name: email, password: PASSWORD });
    const accountId = await registration.create(form, { confirmed: true, ...options });
    return { kind: 'account', accountId, companyId: options.companyId ?? null, role: 'user', tokenId: null };
  }

  /** Mails that wait in the outbox, oldest first. */
  async mails(): Promise<{ to: string; subject: string; text: string }[]> {
    const rows = await this.sql<{ payload: { to: string; subject: string; text: string } }>(
      `SELECT payload FROM outbox WHERE job = 'mail.send' ORDER BY id`,
    );
    return rows.map((row) => row.payload);
  }

  sql<T extends Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> {
    return this.get(Database).query<T>(text, values);
  }

  async close(): Promise<void> {
    for (const close of this.closers) await close();
  }
}

/** The 64 hex characters in the last line that holds such a secret. */
export function secretIn(text: string): string {
  return /([0-9a-f]{64})/.exec(text)![1]!;
}

/** The code of the DomainError that `work` ends with, or 'ok'. Any other error is thrown on. */
export async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    if (isDomainError(error)) return error.code;
    throw error;
  }
}
