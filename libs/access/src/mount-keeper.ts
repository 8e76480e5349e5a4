import { Injectable } from '@nestjs/common';

import { Clock, DomainError } from '#libs/kernel';
import { checkName, MountRepository, nameKey, NodeRepository, numberedName, SpaceService } from '#libs/nodes';

import type { OwnedFolder } from './repositories/folder.repository.js';
import { GrantRepository, type LostMount } from './repositories/grant.repository.js';
import { SharingLog } from './sharing-log.js';

/** Highest number that is put behind a name that is taken (contract, shares/accept). */
const MAX_NUMBER = 10;

/** Puts shared folders into the homes of their receivers and takes them out again. Joins the surrounding transaction. */
@Injectable()
export class MountKeeper {
  constructor(
    private readonly mounts: MountRepository,
    private readonly grants: GrantRepository,
    private readonly nodes: NodeRepository,
    private readonly spaces: SpaceService,
    private readonly log: SharingLog,
    private readonly clock: Clock,
  ) {}

  /**
   * The path at which the account has the folder: in its root, with a number up to 10 when the name is taken. What stands somewhere already stays
   * there. NAME_TAKEN when all eleven names are. Needs the lock of the folder's grants.
   */
  async put(accountId: number, folder: OwnedFolder): Promise<string> {
    const known = (await this.mounts.byTarget([folder.id])).find((mount) => mount.accountId === accountId);
    if (known) return (await this.mounts.above(accountId, [folder.id])).get(folder.id)?.path ?? `/${known.name}`;
    const { spaceId, rootId } = await this.spaces.homeOf(accountId);
    const names = Array.from({ length: MAX_NUMBER + 1 }, (_, number) => (number === 0 ? folder.name : numberedName(folder.name, number, 'folder')));
    const taken = await this.nodes.takenKeys(rootId, names.map(nameKey));
    const nowMs = this.clock.nowMs();
    for (const name of names.filter((candidate) => !taken.has(nameKey(candidate)))) {
      const id = await this.mounts.insert({ spaceId, parentId: rootId, name: checkName(name), targetId: folder.id, accountId, nowMs });
      if (id === null) continue;
      const mount = { id, spaceId, parentId: rootId, name, createdMs: nowMs, modifiedMs: nowMs };
      await this.log.mountsChanged('folder_created', folder, [mount], accountId);
      return `/${name}`;
    }
    throw new DomainError('NAME_TAKEN', `There is a "${folder.name}" already, and so are all numbered ones up to ${MAX_NUMBER}.`);
  }

  /** Takes away the mounts of a folder that no accepted grant upholds any more: of these accounts, or (null) of all. */
  async drop(folder: OwnedFolder, accountIds: readonly number[] | null, actorId: number): Promise<LostMount[]> {
    const lost = await this.grants.lostMounts([folder.id], accountIds);
    await this.log.mountsChanged('folder_deleted', folder, lost, actorId);
    await this.mounts.remove(lost.map((mount) => mount.id));
    return lost;
  }
}
