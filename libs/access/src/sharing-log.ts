import { Injectable } from '@nestjs/common';

import { AccountDirectory } from '#libs/accounts';
import { type ChangedNode, ChangeLog, type JsonFacts, type PersonalChangeType } from '#libs/nodes';

import type { OwnedFolder } from './repositories/folder.repository.js';
import type { LostMount } from './repositories/grant.repository.js';
import type { Invitation } from './repositories/invitation.repository.js';

/** Tells everybody concerned what happens to shares: in the feeds of owner and receiver, and in listings where a folder comes or goes. */
@Injectable()
export class SharingLog {
  constructor(
    private readonly changes: ChangeLog,
    private readonly directory: AccountDirectory,
  ) {}

  /** Each receiver learns his own hash; the owner learns of each person invited by himself, and once of a group. */
  async invited(folder: OwnedFolder, invitations: readonly Invitation[], actorId: number): Promise<void> {
    const [first] = invitations;
    if (!first) return;
    const names = await this.names(invitations);
    for (const invitation of invitations) {
      await this.tell('share_invitation_sent', invitation.accountId, folder, actorId, invitationFacts(folder, invitation, names));
    }
    const ofGroup = { ...folderFacts(folder), group_id: first.groupId, writer: first.write };
    const facts = first.groupId === null ? invitationFacts(folder, first, names) : ofGroup;
    await this.tell('share_invitation_sent', folder.ownerId, folder, actorId, facts);
  }

  /** Both learn of the answer. `path` is where the receiver has the folder now. */
  async answered(folder: OwnedFolder, invitation: Invitation, answer: 'accepted' | 'declined', path: string | null): Promise<void> {
    const type = answer === 'accepted' ? 'share_invitation_accepted' : 'share_invitation_declined';
    const facts = invitationFacts(folder, invitation, await this.names([invitation]));
    await this.tell(type, folder.ownerId, folder, invitation.accountId, facts);
    await this.tell(type, invitation.accountId, folder, invitation.accountId, facts, path);
  }

  async revoked(folder: OwnedFolder, invitations: readonly Invitation[], actorId: number): Promise<void> {
    const names = await this.names(invitations);
    for (const invitation of invitations) {
      const facts = invitationFacts(folder, invitation, names);
      await this.tell('share_invitation_revoked', folder.ownerId, folder, actorId, facts);
      await this.tell('share_invitation_revoked', invitation.accountId, folder, actorId, facts);
    }
  }

  /** The folder is gone for some people; with `all` for everybody, because its owner does not share it any more. */
  async removed(folder: OwnedFolder, accountIds: readonly number[], mounts: readonly LostMount[], actorId: number, all: boolean): Promise<void> {
    const type = all ? 'folder_unshared' : 'folder_collab_removed';
    const paths = new Map(mounts.map((mount) => [mount.accountId, mount.path]));
    const names = await this.names(accountIds.map((accountId) => ({ accountId })));
    for (const accountId of accountIds) {
      const facts = { ...folderFacts(folder), collab_id: accountId, collab_name: names.get(accountId) ?? '' };
      await this.tell(type, accountId, folder, actorId, facts, paths.get(accountId));
      if (!all) await this.tell(type, folder.ownerId, folder, actorId, facts);
    }
    if (all) await this.tell(type, folder.ownerId, folder, actorId, folderFacts(folder));
  }

  /** Mounts have come to stand in the trees of their owners, or are about to leave them. One statement, however many. */
  async mountsChanged(
    type: 'folder_created' | 'folder_deleted',
    folder: OwnedFolder,
    mounts: readonly Pick<LostMount, 'id' | 'spaceId' | 'parentId' | 'name' | 'createdMs' | 'modifiedMs'>[],
    actorId: number,
  ): Promise<void> {
    await this.changes.record(
      mounts.map(({ createdMs, modifiedMs, id, spaceId, parentId, name }) => {
        const node: ChangedNode = {
          id: folder.id,
          spaceId: folder.spaceId,
          ownerId: folder.ownerId,
          kind: 'folder',
          versionNo: 0,
          sizeBytes: 0,
          mimeType: null,
          createdMs,
          modifiedMs,
          shared: true,
          mount: { id, spaceId },
        };
        return { type, actorId, node, folderId: parentId, name };
      }),
    );
  }

  private async names(people: readonly { readonly accountId: number }[]): Promise<Map<number, string>> {
    const found = await this.directory.find(people.map((person) => person.accountId));
    return new Map([...found].map(([id, person]) => [id, person.name]));
  }

  /** `path` is that in the feed of the person told: where the owner has the folder, where the receiver has it, or only its name. */
  private async tell(
    type: PersonalChangeType,
    accountId: number,
    folder: OwnedFolder,
    actorId: number,
    facts: JsonFacts,
    path: string | null = null,
  ): Promise<void> {
    const own = accountId === folder.ownerId ? folder.path : `/${folder.name}`;
    await this.changes.recordForAccounts(type, [accountId], { actorId, nodeId: folder.id, path: path ?? own, facts });
  }
}

function folderFacts({ ownerId, name, createdMs, modifiedMs }: OwnedFolder): JsonFacts {
  return { kind: 'folder', owner: ownerId, created: createdMs, modified: modifiedMs, directory_name: name };
}

function invitationFacts(folder: OwnedFolder, { accountId, hash, write, message }: Invitation, names: ReadonlyMap<number, string>): JsonFacts {
  const collaborator = { collab_id: accountId, collab_name: names.get(accountId) ?? '' };
  return { ...folderFacts(folder), ...collaborator, hash, writer: write, ...(message === '' ? {} : { message }) };
}
