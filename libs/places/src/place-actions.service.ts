import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { Identities } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { BrowseService, CopyService, FolderService, MoveService } from '#libs/files';
import { GroupDirectory } from '#libs/groups';
import { type AccountActor, DomainError, isDomainError } from '#libs/kernel';
import { type LocatedNode, type NodeRef, quotaExceeded, QuotaLedger } from '#libs/nodes';
import { RestoreService, TrashService } from '#libs/trash';

import { isPlace, notForPlaces, type Spot } from './place.js';
import { actorOf, PlaceFolders } from './place-folders.service.js';

/** Most receivers of one delivery. */
const MAX_RECEIVERS = 100;

/** Whoever receives a copy, and the folder that takes it. */
interface Receiver {
  readonly actor: AccountActor;
  readonly folderId: string;
}

/** Changes for callers who name nodes by id and folders by place. What may be done is asked where it is done, as for everybody. */
@Injectable()
export class PlaceActions {
  constructor(
    private readonly folders: PlaceFolders,
    private readonly maker: FolderService,
    private readonly moves: MoveService,
    private readonly copies: CopyService,
    private readonly browse: BrowseService,
    private readonly bin: TrashService,
    private readonly restores: RestoreService,
    private readonly access: AccessService,
    private readonly identities: Identities,
    private readonly groups: GroupDirectory,
    private readonly quotas: QuotaLedger,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The folder, or file, that takes an upload: as FolderService and UploadTickets name it. NOT_A_FOLDER for places that are lists. */
  target(actor: AccountActor, spot: Spot): Promise<NodeRef> {
    return this.folders.ref(actor, spot);
  }

  /** As FolderService.createIn; QUOTA_EXCEEDED when whoever owns the place has no space left. */
  async createFolder(actor: AccountActor, spot: Spot, name: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.maker.createIn(actor, { folder: await this.folders.ref(actor, spot), name, needsSpace: true });
    });
  }

  /** As MoveService.rename; ROOT_IMMUTABLE for places. */
  async rename(actor: AccountActor, spot: Spot, name: string): Promise<void> {
    await this.moves.rename(actor, { node: nodeOnly(spot), name });
  }

  /** As BrowseService.setFavorite; ROOT_IMMUTABLE for places. */
  async setFavorite(actor: AccountActor, spot: Spot, value: boolean): Promise<void> {
    await this.browse.setFavorite(actor, { node: nodeOnly(spot), value });
  }

  /** As CopyService.copy; a name that is taken gets a number. ROOT_IMMUTABLE for places. */
  async copy(actor: AccountActor, spot: Spot, target: Spot): Promise<void> {
    const source = nodeOnly(spot);
    await this.copies.copy(actor, { source, targetFolder: await this.folders.ref(actor, target), onConflict: 'rename' });
  }

  /**
   * As MoveService.move. To the trash it is removing, and out of the trash restoring (RestoreService.restoreInto). ROOT_IMMUTABLE for places.
   */
  async move(actor: AccountActor, spot: Spot, target: Spot): Promise<void> {
    const source = nodeOnly(spot);
    if (isPlace(target) && target.place === 'trash') {
      await this.folders.holder(actor, target.ownerId);
      return this.toTrash(actor, source);
    }
    const targetFolder = await this.folders.ref(actor, target);
    try {
      await this.moves.move(actor, { source, targetFolder, onConflict: 'fail' });
    } catch (error) {
      if (!isDomainError(error, 'NODE_NOT_FOUND') || error.details['which'] !== 'source') throw error;
      await this.restores.restoreInto(actor, source.id, targetFolder);
    }
  }

  /** Puts a node into its owner's trash; what is there already is erased (TrashService.erase). ROOT_IMMUTABLE for places. */
  async remove(actor: AccountActor, spot: Spot): Promise<void> {
    const source = nodeOnly(spot);
    try {
      await this.toTrash(actor, source);
    } catch (error) {
      if (!isDomainError(error, 'NODE_NOT_FOUND')) throw error;
      await this.bin.erase(actor, source.id);
    }
  }

  /**
   * Puts a copy, which is theirs, into what each of these people and groups have for incoming. Nobody receives anything unless all of them are known
   * and have the space. ACCOUNT_NOT_FOUND for an id that is nobody's in the actor's company, NODE_NOT_FOUND, FORBIDDEN, QUOTA_EXCEEDED.
   */
  async deliver(actor: AccountActor, spot: Spot, receiverIds: readonly string[]): Promise<void> {
    const source = nodeOnly(spot);
    const wanted = [...new Set(receiverIds)];
    if (wanted.length === 0 || wanted.length > MAX_RECEIVERS) {
      throw new DomainError('INVALID_ARGUMENT', `A copy goes to 1 to ${MAX_RECEIVERS} people or groups.`);
    }
    const node = await this.browse.get(actor, { node: source });
    await this.access.require(actor, 'node.download', [node]);
    const handOut = async (): Promise<void> => {
      const receivers = await this.receivers(actor, wanted);
      await this.requireSpace(actor, node, receivers);
      for (const receiver of receivers) {
        await this.copies.copy(receiver.actor, { source, targetFolder: { id: receiver.folderId }, onConflict: 'rename', reader: actor });
      }
    };
    // Copies of folders are made in batches, each a transaction of its own.
    await (node.kind === 'file' ? this.unitOfWork.run(handOut) : handOut());
  }

  private async toTrash(actor: AccountActor, node: NodeRef): Promise<void> {
    const [outcome] = await this.bin.trash(actor, { nodes: [node], onlyEmpty: false, permanent: false });
    if (outcome && 'error' in outcome) throw outcome.error;
  }

  private async receivers(actor: AccountActor, ids: readonly string[]): Promise<Receiver[]> {
    const people = await this.identities.find(ids);
    const groups = await this.groups.find(ids);
    const found = ids.map((id) => people.get(id) ?? groups.get(id));
    // Somebody of another company is as unknown as nobody.
    if (found.some((receiver) => receiver?.companyId !== actor.companyId))
      throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user or group.');
    const receivers: Receiver[] = [];
    for (const id of ids) {
      const group = groups.get(id);
      if (group) {
        const { folderId, ownerActor } = await this.folders.incomingOfGroup(group);
        receivers.push({ actor: ownerActor, folderId });
        continue;
      }
      const person = actorOf(people.get(id)!.id, people.get(id)!.companyId);
      receivers.push({ actor: person, folderId: await this.folders.incomingOf(person) });
    }
    return receivers;
  }

  /** Refuses before anybody has received anything; copies that meet each other are still judged one by one. */
  private async requireSpace(actor: AccountActor, node: LocatedNode, receivers: readonly Receiver[]): Promise<void> {
    const bytes = node.kind === 'file' ? node.sizeBytes : (await this.browse.totals(actor, { id: node.id })).bytes;
    for (const receiver of receivers) {
      const free = await this.quotas.freeBytes(receiver.actor.accountId);
      if (free !== null && free < bytes) throw quotaExceeded();
    }
  }
}

function nodeOnly(spot: Spot): { readonly id: string } {
  if (isPlace(spot)) throw notForPlaces();
  return spot;
}
