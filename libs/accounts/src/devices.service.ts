import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { AdminRights } from './admin-rights.js';
import { Authenticator } from './authenticator.service.js';
import { refusePair } from './pair-rule.js';
import { DeviceRepository } from './repositories/device.repository.js';
import { type TokenRecord, TokenRepository } from './repositories/token.repository.js';

/**
 * Devices, each known by its permanent token, and how they are wiped from afar: pending until the device has been told, delivered until it says that it
 * is done, confirmed then. From the first moment on the token opens nothing any more but the state of the wiping and its end.
 */
@Injectable()
export class Devices {
  constructor(
    private readonly rights: AdminRights,
    private readonly devices: DeviceRepository,
    private readonly tokens: TokenRepository,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** The devices of somebody, for his administrators, oldest first. ACCOUNT_NOT_FOUND, FORBIDDEN. */
  async list(actor: AccountActor, accountId: number, options: { readonly includeTemporary: boolean }): Promise<TokenRecord[]> {
    await this.rights.requireAdminOf(actor, accountId);
    return this.tokens.list(accountId, { permanentOnly: !options.includeTemporary }, this.clock.now());
  }

  /**
   * Ends a token of somebody, or with `wipe` has its device wiped: only a permanent token stands for one. TOKEN_NOT_FOUND, also for those of other
   * companies; FORBIDDEN; INVALID_ARGUMENT.
   */
  async remove(actor: AccountActor, tokenId: string, options: { readonly wipe: boolean }): Promise<void> {
    await this.change(actor, tokenId, async ({ permanent, accountId }) => {
      if (!options.wipe) await this.tokens.remove(accountId, tokenId);
      else if (!permanent) throw new DomainError('INVALID_ARGUMENT', 'Only a device with a permanent token can be wiped.');
      else await this.devices.mark([accountId], tokenId);
    });
  }

  /** Takes the order to wipe back, as long as the device has not done it. TOKEN_NOT_FOUND (also when there is no order), FORBIDDEN. */
  async cancelWipe(actor: AccountActor, tokenId: string): Promise<void> {
    await this.change(actor, tokenId, async () => {
      if (!(await this.devices.unmark(tokenId))) throw tokenNotFound();
    });
  }

  /** The same for a device of the actor's own. */
  async cancelOwnWipe(actor: AccountActor, tokenId: string): Promise<void> {
    refusePair(actor);
    const device = await this.devices.find(tokenId);
    if (device?.accountId !== actor.accountId || !(await this.devices.unmark(tokenId))) throw tokenNotFound();
    this.authenticator.forget(actor.accountId);
  }

  /** The device of this very token says that it is wiped; saying it again is fine. TOKEN_NOT_FOUND when nobody asked for that. */
  async confirmWiped(actor: AccountActor): Promise<void> {
    if (actor.tokenId === null || !(await this.devices.confirm(actor.tokenId, this.clock.now()))) throw tokenNotFound();
    this.authenticator.forget(actor.accountId);
  }

  /** What a device that is to be wiped may read: its own token. */
  async ownState(actor: AccountActor): Promise<TokenRecord[]> {
    const all = await this.tokens.list(actor.accountId, { permanentOnly: false }, this.clock.now());
    return all.filter(({ id }) => id === actor.tokenId);
  }

  /** Orders all devices of these accounts to be wiped, in the surrounding transaction. */
  async wipeAll(accountIds: readonly number[]): Promise<void> {
    await this.devices.mark(accountIds, null);
  }

  /** Ends all that lets these accounts in, in the surrounding transaction; devices that are to be wiped can still be told. */
  async endAccess(accountIds: readonly number[]): Promise<void> {
    await this.devices.endAccess(accountIds);
    await this.unitOfWork.afterCommit(() => accountIds.forEach((id) => this.authenticator.forget(id)));
  }

  private async change(
    actor: AccountActor,
    tokenId: string,
    work: (device: { accountId: number; permanent: boolean }) => Promise<void>,
  ): Promise<void> {
    await this.unitOfWork.run(async () => {
      const device = await this.devices.lock(tokenId);
      if (device === null) {
        await this.rights.requireAnyAdmin(actor);
        throw tokenNotFound();
      }
      await this.requireAdminOf(actor, device.accountId);
      await this.rights.requireHigher(actor, device.accountId);
      await work(device);
      await this.unitOfWork.afterCommit(() => this.authenticator.forget(device.accountId));
    });
  }

  /** Tokens of strangers are as unknown ones: for administrators TOKEN_NOT_FOUND, for others FORBIDDEN in both cases. */
  private async requireAdminOf(actor: AccountActor, accountId: number): Promise<void> {
    await this.rights.requireAnyAdmin(actor);
    try {
      await this.rights.requireAdminOf(actor, accountId);
    } catch {
      throw tokenNotFound();
    }
  }
}

function tokenNotFound(): DomainError {
  return new DomainError('TOKEN_NOT_FOUND', 'There is no such token.');
}
