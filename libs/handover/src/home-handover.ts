import { Injectable } from '@nestjs/common';

import { GrantService } from '#libs/access';
import { AccountDirectory } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { FolderService } from '#libs/files';
import { DomainError, isDomainError } from '#libs/kernel';
import {
  ChangeLog,
  CopyRepository,
  depthOf,
  folderDelta,
  type Home,
  MAX_DEPTH,
  MountRepository,
  nameKey,
  NodeRepository,
  numberedCandidates,
  type PlacedNode,
  quotaExceeded,
  QuotaLedger,
  SpaceCrossing,
  SpaceService,
  SubtreeRepository,
} from '#libs/nodes';

import { actorOf, mountNode } from './facts.js';
import { folderNameOf } from './migration.service.js';
import { OwnerCrossing } from './owner-crossing.js';
import { HandoverRepository } from './repositories/handover.repository.js';

export interface HomeHandoverRun {
  readonly ownerId: number;
  readonly heirId: number;
  /** What the owner's folder in the heir's home is called after him. */
  readonly ownerName: string;
  /** The folder that an earlier run has made; null when there was none. */
  readonly folderId: string | null;
  /** The folder is made: in the transaction that made it. */
  readonly made: (folderId: string) => Promise<void>;
  /** Between two things, outside of a transaction: how many have gone over so far, and of how many. It may throw to stop. */
  readonly between: (done: number, all: number) => Promise<void>;
}

const NUMBERED = 1_000;
const PAGE = 200;
const TRIES = 20;

/**
 * Gives all that somebody has in his home to somebody else, into a folder named after him: one thing of his root at a time, each in a transaction,
 * with versions, trash in it, shares and their members. What is in his own trash, and what others share with him, does not go over.
 */
@Injectable()
export class HomeHandover {
  constructor(
    private readonly rows: HandoverRepository,
    private readonly crossings: OwnerCrossing,
    private readonly directory: AccountDirectory,
    private readonly grants: GrantService,
    private readonly nodes: NodeRepository,
    private readonly mounts: MountRepository,
    private readonly crossing: SpaceCrossing,
    private readonly children: CopyRepository,
    private readonly folders: FolderService,
    private readonly subtrees: SubtreeRepository,
    private readonly spaces: SpaceService,
    private readonly quotas: QuotaLedger,
    private readonly changes: ChangeLog,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** QUOTA_EXCEEDED when the heir has no room for what the owner has; a first look, the bytes are judged again as they go over. */
  async requireRoom(ownerId: number, heirId: number): Promise<void> {
    const [owner, heir] = [await this.directory.account(ownerId), await this.directory.account(heirId)];
    const { usedBytes } = await this.quotas.get(ownerId);
    const { limitBytes, usedBytes: taken, reservedBytes } = await this.quotas.get(heirId);
    // Within one company its own sum stays as it is.
    const sameCompany = owner !== null && owner.companyId !== null && owner.companyId === heir?.companyId;
    const free = sameCompany ? (limitBytes === null ? null : limitBytes - taken - reservedBytes) : await this.quotas.freeBytes(heirId);
    if (free !== null && usedBytes > free) throw quotaExceeded();
  }

  /** Resolves with the number of things that went over in this run. FORBIDDEN when the heir may not work any more, QUOTA_EXCEEDED, TREE_TOO_DEEP. */
  async run(run: HomeHandoverRun): Promise<number> {
    const [from, to] = [await this.spaces.homeOf(run.ownerId), await this.spaces.homeOf(run.heirId)];
    await this.leaveMounts(run.ownerId, from);
    let folderId = run.folderId;
    let done = 0;
    for (;;) {
      const ids = (await this.children.childIds(from.rootId, null, PAGE)).map(({ id }) => id);
      const left = ids.length;
      if (left === 0) return done;
      folderId ??= await this.makeFolder(run, to);
      let crossed = 0;
      for (const id of ids) {
        await run.between(done, done + left - crossed);
        if (await this.give(id, run, { from, to, folderId })) crossed++;
        else continue;
        done++;
      }
      // What is there and does not go is held by somebody who will come to an end.
      if (crossed === 0) throw new DomainError('BUSY', 'Too many changes at the same place; try again.');
    }
  }

  /** What others share with him stays theirs. */
  private async leaveMounts(ownerId: number, { spaceId, rootId }: Home): Promise<void> {
    for (const mount of await this.mounts.within(spaceId, [rootId])) {
      await this.unitOfWork.run(async () => {
        await this.grants.leave(actorOf(ownerId), [mount.targetId]);
        await this.mounts.remove([mount.id]);
      });
    }
  }

  private makeFolder({ ownerId, ownerName, heirId, made }: HomeHandoverRun, { spaceId, rootId }: Home): Promise<string> {
    return this.unitOfWork.run(async () => {
      await this.spaces.lock(spaceId);
      const name = await this.freeName(rootId, folderNameOf({ id: ownerId, name: ownerName }), 'folder');
      const { id } = await this.folders.create(actorOf(heirId), { path: [name], createParents: false });
      await made(id);
      return id;
    });
  }

  private async give(nodeId: string, run: HomeHandoverRun, homes: { from: Home; to: Home; folderId: string }): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.unitOfWork.run(() => this.giveOne(nodeId, run, homes));
      } catch (error) {
        if ((!isDomainError(error, 'NAME_TAKEN') && !isDomainError(error, 'BUSY')) || tries === TRIES) throw error;
      }
    }
  }

  private async giveOne(
    nodeId: string,
    { ownerId, heirId }: HomeHandoverRun,
    { from, to, folderId }: { from: Home; to: Home; folderId: string },
  ): Promise<boolean> {
    for (const spaceId of [from.spaceId, to.spaceId].sort()) await this.spaces.lock(spaceId);
    const heir = await this.directory.account(heirId);
    if (heir?.state !== 'active') throw new DomainError('FORBIDDEN', 'Whoever gets the files must be able to sign in.');
    const placed = (await this.nodes.locate([nodeId], null)).get(nodeId);
    if (!placed?.live || placed.node.ownerId !== ownerId || placed.node.parentId !== from.rootId || placed.node.mount) return false;
    const { node } = placed;
    const sharedIds = await this.mounts.sharedWithin(from.spaceId, [nodeId]);
    await this.rows.lockShares([nodeId, ...sharedIds]);
    await this.crossing.hold(nodeId);

    const all = await this.mounts.byTarget(sharedIds);
    const own = await this.mounts.remove(all.filter((mount) => mount.accountId === heirId).map((mount) => mount.id));
    await this.rows.endMember(sharedIds, heirId);
    await this.rows.endLinksOf(nodeId, ownerId);
    const parent = await this.parentFor(placed, folderId, to);
    const name = await this.freeName(parent.id, node.name, node.kind);
    await this.crossings.cross(
      node,
      { spaceId: to.spaceId, parentId: parent.id, name, nameKey: nameKey(name), above: parent.path },
      { ownerId, memberId: heirId, fromSpaceId: from.spaceId },
    );
    // A deleted account is in no company for the directory: what was offered to its colleagues is the heir's to offer again.
    await this.rows.ownShares(sharedIds, heirId, false);
    const [moved] = await this.nodes.byIds([nodeId]);
    await this.changes.record([
      ...own.map((mount) => {
        const gone = { ...mountNode(node, mount), id: mount.targetId };
        return { type: 'folder_deleted' as const, actorId: ownerId, node: gone, folderId: mount.parentId, name: mount.name };
      }),
      {
        type: node.kind === 'folder' ? ('folder_moved' as const) : ('file_moved' as const),
        actorId: ownerId,
        node: moved!,
        folderId: parent.id,
        name,
        old: { folderId: from.rootId, name: node.name, node },
      },
    ]);
    await this.nodes.bumpFolders([
      folderDelta(from.rootId, moved!, -1),
      folderDelta(parent.id, moved!, 1),
      ...all.filter((mount) => mount.accountId !== heirId).map(({ parentId }) => ({ folderId: parentId, files: 0, folders: 0, bytes: 0 })),
    ]);
    return true;
  }

  /** The folder of the owner in the heir's home; his root for what would be too deep there, or when that folder is gone. */
  private async parentFor({ node }: PlacedNode, folderId: string, { rootId }: Home): Promise<{ id: string; path: string }> {
    const folder = (await this.nodes.locate([folderId], null)).get(folderId);
    const height = node.kind === 'folder' ? (await this.subtrees.figures(node.id)).height : 0;
    if (!folder?.live || depthOf(folder) + 1 + height > MAX_DEPTH) return { id: rootId, path: '' };
    return { id: folderId, path: folder.node.path };
  }

  private async freeName(folderId: string, name: string, kind: 'file' | 'folder'): Promise<string> {
    const candidates = [{ name, nameKey: nameKey(name) }, ...numberedCandidates(name, kind, 1, NUMBERED)];
    const taken = await this.nodes.takenKeys(
      folderId,
      candidates.map((candidate) => candidate.nameKey),
    );
    const free = candidates.find((candidate) => !taken.has(candidate.nameKey));
    if (!free) throw new DomainError('BUSY', `There are too many things called "${name}".`);
    return free.name;
  }
}
