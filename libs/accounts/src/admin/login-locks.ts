import { Injectable } from '@nestjs/common';

import { formatLogin } from '../login-name.js';
import { AccountRepository } from '../repositories/account.repository.js';
import { LoginGuardRepository } from '../repositories/login-guard.repository.js';
import { secondFactorKey } from '../second-factor/second-factor.service.js';
import { AdminRepository } from './repositories/admin.repository.js';

/** Locks that wrong passwords have led to. */
@Injectable()
export class LoginLocks {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly guards: LoginGuardRepository,
    private readonly rows: AdminRepository,
  ) {}

  /** Forgets every failed try at any login of the account, from every address. Joins the surrounding transaction. */
  async end(accountId: number): Promise<void> {
    const logins = await this.accounts.listLogins(accountId);
    const keys = logins.map((login) => formatLogin({ kind: login.kind, value: login.valueKey }));
    await this.guards.reset([...keys, secondFactorKey(accountId)]);
    await this.rows.countUnlock(accountId);
  }
}
