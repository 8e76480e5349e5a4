import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, sha256 } from '#libs/kernel';
import { Logger } from '#libs/observability';

import { Authenticator } from '../authenticator.service.js';
import { type AccountProfile, ProfileService } from '../profile.service.js';
import { TokenRepository } from '../repositories/token.repository.js';
import { AdminRepository } from './repositories/admin.repository.js';
import { SystemAdmins } from './system-admins.js';

/** Administrators of the system act as other people, and every time is written down. */
@Injectable()
export class Impersonation {
  constructor(
    private readonly admins: SystemAdmins,
    private readonly rows: AdminRepository,
    private readonly tokens: TokenRepository,
    private readonly profiles: ProfileService,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets a token of the administrator (that of the call when none is given) act as `accountId` until the same call names himself, also when he acts
   * as somebody else already. FORBIDDEN for who is no administrator of the system, and to act as another one: his deeds must be his own.
   * ACCOUNT_NOT_FOUND, ACCOUNT_DISABLED, ACCOUNT_NOT_CONFIRMED, TOKEN_NOT_FOUND (also for the token of somebody else), INVALID_ARGUMENT without any token.
   */
  async actAs(actor: AccountActor, accountId: number, token?: string): Promise<AccountProfile> {
    const adminId = actor.impersonatorId ?? actor.accountId;
    const actsAs = accountId === adminId ? null : accountId;
    await this.unitOfWork.run(async () => {
      const account = await this.admins.hold({ ...actor, accountId: adminId }, accountId);
      if (actsAs !== null && account.role === 'admin') throw new DomainError('FORBIDDEN', 'Nobody acts as another administrator.');
      if (account.state === 'pending') throw new DomainError('ACCOUNT_NOT_CONFIRMED', 'This account is not confirmed yet.');
      if (account.state !== 'active' || (account.expiresMs !== null && account.expiresMs <= this.clock.nowMs())) {
        throw new DomainError('ACCOUNT_DISABLED', 'This account is switched off.');
      }
      const tokenId = await this.tokenOf(actor, adminId, token);
      await this.tokens.setEffective(tokenId, adminId, actsAs);
      await this.rows.noteActing({ tokenId, adminId, accountId: actsAs }, this.clock.now());
      await this.unitOfWork.afterCommit(() => this.logger.info('an administrator acts as another account', { adminId, accountId, tokenId }));
    });
    for (const id of new Set([adminId, actor.accountId, accountId])) this.authenticator.forget(id);
    return this.profiles.ofAccount(accountId);
  }

  private async tokenOf(actor: AccountActor, adminId: number, token: string | undefined): Promise<string> {
    if (!token && actor.tokenId === null) throw new DomainError('INVALID_ARGUMENT', 'This request did not use a token; name one.');
    const holder = token ? await this.tokens.findHolder(sha256(token.toLowerCase())) : await this.tokens.findHolderOf(actor.tokenId!);
    if (holder?.ownerId !== adminId) throw new DomainError('TOKEN_NOT_FOUND', 'There is no such token of yours.');
    return holder.tokenId;
  }
}
