import { Injectable } from '@nestjs/common';

import { AccountDirectory } from '#libs/accounts';
import { type ChangedNode, ChangeLog, type JsonFacts, type PersonalNews } from '#libs/nodes';

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
    const ofGroup = { ...folderFacts(folder), group_id: first.groupId, writer: first.write };
    const facts = first.groupId === null ? invitationFacts(folder, first, names) : ofGroup;
    await this.changes.recordEach('share_invitation_sent', actorId, [
      ...invitations.map((invitation) => news(folder, invitation.accountId, invitationFacts(folder, invitation, names))),
      news(folder, folder.ownerId, facts),
    ]);
  }

  /** Both learn of the answer. `path` is where the receiver has the folder now. */
  async answered(folder: OwnedFolder, invitation: Invitation, answer: 'accepted' | 'declined', path: string | null): Promise<void> {
    const type = answer === 'accepted' ? 'share_invitation_accepted' : 'share_invitation_declined';
    const facts = invitationFacts(folder, invitation, await this.names([invitation]));
    await this.changes.recordEach(type, invitation.accountId, [news(folder, folder.ownerId, facts), news(folder, invitation.accountId, facts, path)]);
  }

  /** Those who had not answered, and the owner for each of them. */
  async revoked(folder: OwnedFolder, invitations: readonly Invitation[], actorId: number): Promise<void> {
    const names = await this.names(invitations);
    const told = invitations.flatMap((invitation) => {
      const facts = invitationFacts(folder, invitation, names);
      return [news(folder, folder.ownerId, facts), news(folder, invitation.accountId, facts)];
    });
    await this.changes.recordEach('share_invitation_revoked', actorId, told);
  }

  /** The folder is gone for some people; with `all` for everybody, because its owner does not share it any more. */
  async removed(folder: OwnedFolder, accountIds: readonly number[], mounts: readonly LostMount[], actorId: number, all: boolean): Promise<void> {
    const paths = new Map(mounts.map((mount) => [mount.accountId, mount.path]));
    const names = await this.names(accountIds.map((accountId) => ({ accountId })));
    const told = accountIds.flatMap((accountId) => {
      const facts = { ...folderFacts(folder), collab_id: accountId, collab_name: names.get(accountId) ?? '' };
      const lost = news(folder, accountId, facts, paths.get(accountId));
      return all ? [lost] : [lost, news(folder, folder.ownerId, facts)];
    });
    if (all) told.push(news(folder, folder.ownerId, folderFacts(folder)));
    await this.changes.recordEach(all ? 'folder_unshared' : 'folder_collab_removed', actorId, told);
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
}

/** `path` is that in the feed of the person told: where the owner has the folder, where the receiver has it, or only its name. */
function news(folder: OwnedFolder, accountId: number, facts: JsonFacts, path: string | null = null): PersonalNews {
  const own = accountId === folder.ownerId ? folder.path : `/${folder.name}`;
  return { accountIds: [accountId], nodeId: folder.id, path: path ?? own, facts };
}

function folderFacts({ ownerId, name, createdMs, modifiedMs }: OwnedFolder): JsonFacts {
  return { kind: 'folder', owner: ownerId, created: createdMs, modified: modifiedMs, directory_name: name };
}

function invitationFacts(folder: OwnedFolder, { accountId, hash, write, message }: Invitation, names: ReadonlyMap<number, string>): JsonFacts {
  const collaborator = { collab_id: accountId, collab_name: names.get(accountId) ?? '' };
  return { ...folderFacts(folder), ...collaborator, hash, writer: write, ...(message === '' ? {} : { message }) };
}
