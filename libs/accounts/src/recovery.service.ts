import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { DomainError } from '#libs/kernel';
import { Mailer, recoverMail } from '#libs/mail';

import { formatLogin, type LoginName, parseLogin } from './login-name.js';
import { OneTimeSecrets, SECRET_LIFE_MS } from './one-time-secrets.js';
import { RegistrationService } from './registration.service.js';
import { AccountRepository } from './repositories/account.repository.js';

const HOUR_MS = 60 * 60 * 1_000;

/** Lets people in who lost their password. */
@Injectable()
export class RecoveryService {
  constructor(
    private readonly config: AppConfig,
    private readonly accounts: AccountRepository,
    private readonly registration: RegistrationService,
    private readonly secrets: OneTimeSecrets,
    private readonly mailer: Mailer,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Sends a link that is good once, for 24 hours, to the address (for a phone number: to the account's confirmed address). The password stays valid
   * until a new one is set; that of a registration which was never confirmed ends when the link is used. INVALID_ARGUMENT for a login that nobody has, RATE_LIMITED after five mails an hour, ACCOUNT_DISABLED.
   */
  async recover(loginText: string): Promise<void> {
    const login = await this.accounts.findLogin(readLogin(loginText));
    if (login === null || login.state === 'deleted') throw unknownLogin();
    // An address that was added and never confirmed may be somebody else's: no way into the account goes there.
    if (login.confirmedMs === null && login.state !== 'pending') throw unknownLogin();
    if (login.state === 'disabled') throw new DomainError('ACCOUNT_DISABLED', 'This account is switched off.');
    const logins = await this.accounts.listLogins(login.accountId);
    const target = login.kind === 'email' ? login : logins.find((candidate) => candidate.kind === 'email' && candidate.confirmedMs !== null);
    if (target === undefined) throw new DomainError('INVALID_ARGUMENT', 'This account has no e-mail address to send the message to.');
    await this.registration.takeMailSlot(formatLogin({ kind: 'recover', value: target.valueKey }));
    await this.unitOfWork.run(async () => {
      const account = await this.accounts.find(login.accountId);
      const key = await this.secrets.make('recover', login.accountId, { loginId: target.id });
      const link = `${this.config.http.publicUrl}/api/1/accounts/login/?key=${key}`;
      await this.mailer.send({ to: target.value, ...recoverMail(account?.lang ?? 'en', link, SECRET_LIFE_MS.recover / HOUR_MS) });
    });
  }
}

function readLogin(text: string): LoginName {
  try {
    return parseLogin(text);
  } catch {
    throw unknownLogin();
  }
}

function unknownLogin(): DomainError {
  return new DomainError('INVALID_ARGUMENT', 'The user with the entered login was not found.');
}
