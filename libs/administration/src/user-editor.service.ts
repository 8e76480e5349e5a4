import { Injectable } from '@nestjs/common';

import { type AccountProfile, ProfileService, SystemAdmins } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, DomainError } from '#libs/kernel';
import { QuotaLedger } from '#libs/nodes';

import { QuotaLimitRepository } from './repositories/quota-limit.repository.js';

/** Absent fields stay as they are. Bytes; null = not limited. */
export interface UserChange {
  readonly hardLimitBytes?: number | null | undefined;
  readonly softLimitBytes?: number | null | undefined;
  /** Empty = none. */
  readonly region?: string | undefined;
}

/** Quota and region of an account. */
@Injectable()
export class UserEditor {
  constructor(
    private readonly admins: SystemAdmins,
    private readonly profiles: ProfileService,
    private readonly quotas: QuotaLedger,
    private readonly limits: QuotaLimitRepository,
    private readonly config: AppConfig,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Changes what is given. A hard limit below what is stored already is allowed: nothing more comes in then. FORBIDDEN for who is no administrator of
   * the system, ACCOUNT_NOT_FOUND, INVALID_ARGUMENT when nothing is given or the soft limit would be above the hard one.
   */
  async edit(actor: AccountActor, accountId: number, change: UserChange): Promise<AccountProfile> {
    const { hardLimitBytes, softLimitBytes, region } = change;
    await this.unitOfWork.run(async () => {
      await this.admins.hold(actor, accountId);
      if (hardLimitBytes === undefined && softLimitBytes === undefined && region === undefined) {
        throw new DomainError('INVALID_ARGUMENT', 'At least one of quota_size, hard_quota_size and region is required.');
      }
      if (region !== undefined) await this.admins.setRegion(accountId, region);
      if (hardLimitBytes === undefined && softLimitBytes === undefined) return;
      await this.quotas.ensure(accountId, this.config.accounts.defaultQuotaBytes);
      const before = await this.limits.lock(accountId);
      const limitBytes = hardLimitBytes === undefined ? before.limitBytes : hardLimitBytes;
      const soft = softLimitBytes === undefined ? before.softLimitBytes : softLimitBytes;
      if (limitBytes !== null && soft !== null && soft > limitBytes) {
        throw new DomainError('INVALID_ARGUMENT', 'The soft limit must not be above the hard one.');
      }
      await this.limits.set(accountId, { limitBytes, softLimitBytes: soft });
    });
    return this.profiles.ofAccount(accountId);
  }
}
