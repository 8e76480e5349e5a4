import { Injectable } from '@nestjs/common';

import type { AccountActor } from '#libs/kernel';

import { AdminRights } from '../admin-rights.js';
import { emailLogin, formatLogin } from '../login-name.js';
import { type AccountProfile, ProfileService } from '../profile.service.js';
import { RegistrationService } from '../registration.service.js';
import { mainLogin } from '../session.service.js';

/** Invites people on behalf of administrators. */
@Injectable()
export class UserInviter {
  constructor(
    private readonly rights: AdminRights,
    private readonly registration: RegistrationService,
    private readonly profiles: ProfileService,
  ) {}

  /**
   * Makes a waiting account without a company for the owner of an address, and invites him by mail. FORBIDDEN for who is no administrator of the
   * system, LOGIN_TAKEN (also by an earlier invitation), RATE_LIMITED, INVALID_ARGUMENT.
   */
  async invite(
    actor: AccountActor,
    invited: { readonly email: string; readonly invitation?: string; readonly lang?: string },
  ): Promise<AccountProfile> {
    await this.rights.requireSystemAdmin(actor);
    const login = emailLogin(invited.email);
    const inviter = await this.profiles.ofAccount(actor.accountId);
    await this.registration.takeMailSlot(formatLogin({ kind: login.kind, value: login.valueKey }));
    const { accountId } = await this.registration.invite(login.value, {
      inviter: inviter.account.name || mainLogin(actor.accountId, inviter.logins),
      ...(invited.invitation === undefined ? {} : { invitation: invited.invitation }),
      ...(invited.lang === undefined ? {} : { lang: invited.lang }),
    });
    return this.profiles.ofAccount(accountId);
  }
}
