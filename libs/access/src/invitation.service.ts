import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock, DomainError, type DomainErrorCode, isDomainError } from '#libs/kernel';

import { MountKeeper } from './mount-keeper.js';
import { Policies } from './policies.service.js';
import { FolderRepository, type OwnedFolder } from './repositories/folder.repository.js';
import { GrantRepository } from './repositories/grant.repository.js';
import { type Invitation, InvitationRepository } from './repositories/invitation.repository.js';
import { SharingLog } from './sharing-log.js';

/** Most folders that come into a new home by themselves. */
const MAX_AT_ONCE = 100;
/** After these an invitation goes on waiting. */
const WAITS_ON: readonly DomainErrorCode[] = ['INVITATION_NOT_FOUND', 'NAME_TAKEN', 'FORBIDDEN'];

/** What people answer to invitations. */
@Injectable()
export class InvitationService {
  constructor(
    private readonly invitations: InvitationRepository,
    private readonly grants: GrantRepository,
    private readonly folders: FolderRepository,
    private readonly mounts: MountKeeper,
    private readonly log: SharingLog,
    private readonly policies: Policies,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Accepts the invitation and puts the folder into the account's root; answers its path there. Repeating it changes nothing. INVITATION_NOT_FOUND
   * for a hash that does not invite this account, or to a folder that is not in place; INVITATION_ANSWERED after decline; NAME_TAKEN; FORBIDDEN when the
   * owner's company has stopped sharing with others.
   */
  async accept(accountId: number, hash: string): Promise<string> {
    return this.unitOfWork.run(async () => {
      const { invitation, folder } = await this.hold(accountId, hash);
      if (invitation.state === 'declined') throw answered();
      if (!folder.live) throw invitationNotFound();
      if (invitation.state === 'waiting') await this.policies.requireSharing(folder.ownerId, accountId);
      const path = await this.mounts.put(accountId, folder);
      if (invitation.state === 'waiting') await this.invitations.setState([invitation.id], 'accepted', this.clock.now());
      if (invitation.state === 'waiting') await this.log.answered(folder, invitation, 'accepted', path);
      return path;
    });
  }

  /**
   * Accepts what the account was invited to by name, the oldest first: whoever registers by the mail of an invitation agrees to it. What is not in
   * place, or finds no free name, goes on waiting for an answer.
   */
  async acceptWaiting(accountId: number): Promise<void> {
    await this.unitOfWork.run(async () => {
      const waiting = await this.invitations.waitingFor(accountId, MAX_AT_ONCE);
      await this.grants.lock(waiting.map((invitation) => invitation.nodeId));
      for (const { hash } of waiting) {
        await this.accept(accountId, hash).catch((error: unknown) => {
          if (!isDomainError(error) || !WAITS_ON.includes(error.code)) throw error;
        });
      }
    });
  }

  /** Declines the invitation. Repeating it changes nothing. INVITATION_NOT_FOUND, INVITATION_ANSWERED after accept. */
  async decline(accountId: number, hash: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      const { invitation, folder } = await this.hold(accountId, hash);
      if (invitation.state === 'declined') return;
      if (invitation.state === 'accepted') throw answered();
      await this.invitations.setState([invitation.id], 'declined', this.clock.now());
      await this.log.answered(folder, invitation, 'declined', null);
    });
  }

  /** The invitation and its folder, which nobody else changes until the end of the transaction. */
  private async hold(accountId: number, hash: string): Promise<{ invitation: Invitation; folder: OwnedFolder }> {
    const seen = await this.invitations.byHash(hash);
    if (seen?.accountId !== accountId) throw invitationNotFound();
    await this.grants.lock([seen.nodeId]);
    const invitation = await this.invitations.byHash(hash);
    const folder = invitation && (await this.folders.find([invitation.nodeId])).get(invitation.nodeId);
    if (!invitation || !folder) throw invitationNotFound();
    return { invitation, folder };
  }
}

/** The one answer for hashes that are unknown, of somebody else, taken back or of a folder that is gone. */
export function invitationNotFound(): DomainError {
  return new DomainError('INVITATION_NOT_FOUND', 'This hash does not lead to a folder shared with you.');
}

function answered(): DomainError {
  return new DomainError('INVITATION_ANSWERED', 'The invitation has been answered already.');
}
