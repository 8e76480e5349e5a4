import { GrantService, newHash } from '#libs/access';
import { AccountDirectory } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { CopyService, FolderService } from '#libs/files';
import { Clock, DomainError, isDomainError, newId } from '#libs/kernel';
import {
  ChangeLog,
  CopyRepository,
  type Home,
  type LocatedNode,
  MountRepository,
  nameKey,
  nodeNotFound,
  NodeRepository,
  numberedCandidates,
  pathSegments,
  SpaceCrossing,
  SpaceService,
} from '#libs/nodes';
import { HandlesTask, type TaskContext, type TaskHandler } from '#libs/tasks';
import { TrashService } from '#libs/trash';

import { actorOf, mountNode } from './facts.js';
import { folderNameOf, type MigrationInput } from './migration.service.js';
import { HandoverRepository } from './repositories/handover.repository.js';
import { type Migration, MigrationRepository } from './repositories/migration.repository.js';

/** The copy that a run has begun and nobody sees yet. */
interface MigrationState {
  readonly stagedId: string | null;
}

export interface MigrationResult {
  readonly dst_path: string;
}

/** Rounds in which the source may change while it is copied; the last one keeps everybody from changing it. */
const ROUNDS = 3;
const NUMBERED = 100;
/** Below the root: the folder with the owner's name, and the copy in it. */
const COPY_DEPTH = 2;
/** Children of the source that go to the trash together. */
const PAGE = 5_000;

/**
 * Copies what was offered into the home of its receiver. The copy is built where nobody sees it; one transaction shows it, carries over who has
 * its folders, empties the source when that was asked for, and notes that all is done. What a killed run has left half done is given up.
 */
@HandlesTask('handover.migration')
export class MigrationTask implements TaskHandler<MigrationInput> {
  constructor(
    private readonly rows: MigrationRepository,
    private readonly shares: HandoverRepository,
    private readonly directory: AccountDirectory,
    private readonly grants: GrantService,
    private readonly nodes: NodeRepository,
    private readonly mounts: MountRepository,
    private readonly crossing: SpaceCrossing,
    private readonly copies: CopyService,
    private readonly copyRows: CopyRepository,
    private readonly folders: FolderService,
    private readonly trash: TrashService,
    private readonly spaces: SpaceService,
    private readonly changes: ChangeLog,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** NODE_NOT_FOUND when the source is gone, FORBIDDEN when the receiver may not work any more, QUOTA_EXCEEDED, TREE_TOO_DEEP: the request has failed then. */
  async run({ migrationId }: MigrationInput, context: TaskContext): Promise<MigrationResult> {
    const row = await this.rows.find(migrationId);
    if (!row || row.status === 'done') return { dst_path: row?.dstPath ?? '' };
    const home = await this.spaces.homeOf(row.receiverId);
    try {
      const state = context.checkpoint as unknown as MigrationState | null;
      if (state?.stagedId) await this.copies.giveUp(state.stagedId, home.spaceId);
      return await this.copy(row, home, context);
    } catch (error) {
      const passing = isDomainError(error) && ['BUSY', 'STORAGE_UNAVAILABLE', 'INTERNAL'].includes(error.code);
      if (isDomainError(error) && !passing) await this.rows.setStatus(row.id, 'failed', '', this.clock.now());
      throw error;
    }
  }

  private async copy(row: Migration, home: Home, context: TaskContext): Promise<MigrationResult> {
    for (let round = 1; ; round++) {
      await context.throwIfCancelled();
      const copyId = newId(this.clock.nowMs());
      const save = (stagedId: string | null) => context.saveProgress(stagedId === null ? 100 : 0, { stagedId } satisfies MigrationState);
      try {
        const source = await this.source(row);
        const plan = { ...home, ownerId: row.receiverId, authorId: row.ownerId, depth: COPY_DEPTH };
        if (round === ROUNDS) {
          return await this.unitOfWork.run(async () => {
            await this.lock(row, source, home);
            await this.crossing.hold(source.id);
            await this.copies.build(source, copyId, plan);
            return this.finish(row, await this.source(row), copyId, home, () => save(null));
          });
        }
        const before = await this.rows.fingerprint(source.id);
        await this.copies.build(source, copyId, plan, save);
        const finished = await this.unitOfWork.run(async () => {
          await this.lock(row, source, home);
          if (row.cleanup) {
            await this.crossing.hold(source.id);
            if ((await this.rows.fingerprint(source.id)) !== before) return null;
          }
          return this.finish(row, await this.source(row), copyId, home, () => save(null));
        });
        if (finished) return finished;
        await this.copies.giveUp(copyId, home.spaceId);
      } catch (error) {
        await this.copies.giveUp(copyId, home.spaceId);
        // Something of this name was made in the same moment.
        if (!isDomainError(error, 'NAME_TAKEN') || round === ROUNDS) throw error;
      }
    }
  }

  private async source({ nodeId, ownerId, receiverId }: Migration): Promise<LocatedNode> {
    if ((await this.directory.account(receiverId))?.state !== 'active')
      throw new DomainError('FORBIDDEN', 'This account may not add files any more.');
    const placed = nodeId === null ? undefined : (await this.nodes.locate([nodeId], null)).get(nodeId);
    if (!placed?.live || placed.node.ownerId !== ownerId) throw nodeNotFound('source');
    return placed.node;
  }

  private async lock(row: Migration, source: LocatedNode, home: Home): Promise<void> {
    for (const spaceId of [source.spaceId, home.spaceId].sort()) await this.spaces.lock(spaceId);
    if (row.cleanup) await this.shares.lockShares(await this.mounts.sharedWithin(source.spaceId, [source.id]));
  }

  private async finish(row: Migration, source: LocatedNode, copyId: string, home: Home, saved: () => Promise<void>): Promise<MigrationResult> {
    const folder = await this.ownerFolder(row, home);
    const name = await this.freeName(folder.id, source.parentId === null ? 'home' : source.name);
    if (!(await this.copyRows.attach(copyId, folder.id, name, nameKey(name)))) throw new DomainError('BUSY', 'The copy was given up; try again.');
    const [copy] = await this.nodes.byIds([copyId]);
    await this.changes.record([{ type: 'folder_copied', actorId: row.ownerId, node: copy!, folderId: folder.id, name }]);
    const pairs = await this.sharedPairs(source, copyId);
    if (row.cleanup) await this.moveMembers(row, source, pairs);
    else await this.inviteMembers(row, pairs);
    if (row.cleanup) await this.empty(row.ownerId, source.id);
    const dstPath = `${folder.path}/${name}`;
    await this.rows.setStatus(row.id, 'done', dstPath, this.clock.now());
    await saved();
    await this.nodes.bumpFolders([{ folderId: folder.id, files: 0, folders: 1, bytes: 0 }]);
    return { dst_path: dstPath };
  }

  /** The folder in the receiver's root with the owner's name; a numbered one where that name is something else's, or a folder that others see. */
  private async ownerFolder({ ownerId, receiverId }: Migration, { rootId }: Home): Promise<LocatedNode> {
    const owner = await this.directory.account(ownerId);
    const wanted = folderNameOf({ id: ownerId, name: owner?.name ?? '' });
    const receiver = actorOf(receiverId);
    for (const { name, nameKey: key } of [{ name: wanted, nameKey: nameKey(wanted) }, ...numberedCandidates(wanted, 'folder', 1, NUMBERED)]) {
      const there = await this.nodes.findChild(rootId, key, receiverId);
      if (!there) return this.folders.create(receiver, { path: [name], createParents: true });
      if (there.kind === 'folder' && there.mount === null && !there.shared) return { ...there, path: `/${there.name}` };
    }
    throw new DomainError('FORBIDDEN', `There are too many things called "${wanted}".`);
  }

  private async freeName(folderId: string, name: string): Promise<string> {
    const candidates = [{ name, nameKey: nameKey(name) }, ...numberedCandidates(name, 'folder', 1, NUMBERED)];
    const taken = await this.nodes.takenKeys(
      folderId,
      candidates.map((candidate) => candidate.nameKey),
    );
    const free = candidates.find((candidate) => !taken.has(candidate.nameKey));
    if (!free) throw new DomainError('FORBIDDEN', `There are too many folders called "${name}".`);
    return free.name;
  }

  /** The shared folders in place at and below the source, each with its copy. */
  private async sharedPairs(source: LocatedNode, copyId: string): Promise<{ from: string; to: string }[]> {
    const shared = [...(await this.nodes.locate(await this.mounts.sharedWithin(source.spaceId, [source.id]), null)).values()];
    const live = shared.filter((placed) => placed.live);
    const above = pathSegments(source.path).length;
    const ways = live.map(({ node }) => pathSegments(node.path).slice(above));
    const found = (await this.nodes.resolveManyFrom(copyId, ways, null)) ?? [];
    return live.flatMap(({ node }, index) => {
      const to = found[index];
      return to?.missing.length === 0 ? [{ from: node.id, to: to.placed.node.id }] : [];
    });
  }

  /** The source is emptied: whoever has its shared folders has their copies from now on, at the same place. */
  private async moveMembers({ ownerId, receiverId }: Migration, source: LocatedNode, pairs: readonly { from: string; to: string }[]): Promise<void> {
    if (pairs.length === 0) return;
    const [from, to] = [pairs.map((pair) => pair.from), pairs.map((pair) => pair.to)];
    const all = await this.mounts.byTarget(from);
    const own = await this.mounts.remove(all.filter((mount) => mount.accountId === receiverId).map((mount) => mount.id));
    await this.shares.endMember(from, receiverId);
    const [owner, receiver] = [await this.directory.account(ownerId), await this.directory.account(receiverId)];
    await this.shares.moveShares(pairs);
    await this.shares.ownShares(to, receiverId, owner !== null && owner.companyId !== null && owner.companyId === receiver?.companyId);
    await this.changes.record(
      own.map((mount) => {
        const node = { ...mountNode(source, mount), id: mount.targetId };
        return { type: 'folder_deleted', actorId: ownerId, node, folderId: mount.parentId, name: mount.name };
      }),
    );
    const elsewhere = all.filter((mount) => mount.accountId !== receiverId);
    await this.nodes.bumpFolders(elsewhere.map(({ parentId }) => ({ folderId: parentId, files: 0, folders: 0, bytes: 0 })));
  }

  /** The source stays shared as it is; its people, and groups of the receiver's own company, are invited to the copies with the rights they have. */
  private async inviteMembers({ ownerId, receiverId }: Migration, pairs: readonly { from: string; to: string }[]): Promise<void> {
    const receiver = await this.directory.account(receiverId);
    for (const { from, to } of pairs) {
      const [node] = await this.nodes.byIds([to]);
      for (const { accountId, groupId, companyId, write, delete: canDelete, download } of await this.rows.grantsOn(from)) {
        if (accountId === receiverId || (groupId !== null && companyId !== receiver?.companyId)) continue;
        const subject = groupId === null ? { accountId: accountId! } : { groupId };
        await this.shares.makeShare(to, newHash(), receiverId, this.clock.now());
        await this.grants.grant(actorOf(receiverId), { node: node!, subject, right: { write, delete: canDelete, download }, byId: ownerId });
      }
    }
  }

  /** Puts everything that the folder holds, but what others share with its owner, into his trash. */
  private async empty(ownerId: number, folderId: string): Promise<void> {
    for (let after: string | null = null; ;) {
      const children: { id: string }[] = await this.copyRows.childIds(folderId, after, PAGE);
      if (children.length === 0) return;
      const outcomes = await this.trash.trash(actorOf(ownerId), {
        nodes: children.map(({ id }) => ({ id })),
        onlyEmpty: false,
        permanent: false,
      });
      for (const outcome of outcomes) if ('error' in outcome) throw outcome.error;
      after = children[children.length - 1]!.id;
    }
  }
}
