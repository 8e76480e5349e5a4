import { Injectable } from '@nestjs/common';

import { Database, UnitOfWork } from '#libs/database';
import { Clock, DomainError, newId, randomUrlSafe } from '#libs/kernel';

import { emailLogin } from './login-name.js';
import { checkNewPassword, PasswordHasher } from './password-hasher.js';
import { AccountRepository } from './repositories/account.repository.js';

/** Makes the first system administrator. */
@Injectable()
export class AdminBootstrap {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly hasher: PasswordHasher,
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes sure that there is a system administrator; does nothing when there is one, whatever its address. `password` in the answer is the
   * generated one and null when none was generated. Safe to call from several processes at once. LOGIN_TAKEN when `email` belongs to an ordinary account.
   */
  async ensure({ email, password }: { readonly email: string; readonly password?: string | undefined }): Promise<{
    readonly email: string;
    readonly password: string | null;
    readonly created: boolean;
  }> {
    if (await this.accounts.hasSystemAdmin()) return { email, password: null, created: false };
    const login = emailLogin(email);
    const chosen = password ?? randomUrlSafe(15);
    checkNewPassword(chosen);
    const passwordHash = await this.hasher.hash(chosen);
    const created = await this.unitOfWork.run(async () => {
      await this.database.lock('accounts:first-admin');
      if (await this.accounts.hasSystemAdmin()) return false;
      const now = this.clock.now();
      if ((await this.accounts.findLogin(login)) !== null) {
        throw new DomainError('LOGIN_TAKEN', `${email} belongs to an ordinary account; set STOWAGE_ADMIN_EMAIL to another address.`);
      }
      const id = await this.accounts.insert(
        { name: 'Administrator', lang: 'en', passwordHash, state: 'active', companyId: null, role: 'admin' },
        now,
      );
      await this.accounts.insertLogin(newId(now.getTime()), id, login, now, { confirmed: true });
      return true;
    });
    return { email, password: created && password === undefined ? chosen : null, created };
  }
}
