import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type ArrivedFile, FileIntake, FolderService, MoveManyService, MoveService } from '#libs/files';
import { type AccountActor, DomainError, type DomainErrorCode, isDomainError } from '#libs/kernel';
import { extensionOf, FreeNames, type LocatedNode, nodeNotFound, type PlacedNode, SpaceService } from '#libs/nodes';
import { TrashService } from '#libs/trash';

import { type ItemKind, OwnTreeReader, type SizedFolder } from './own-tree-reader.service.js';

export interface ChangeItem {
  readonly name?: string | undefined;
  /** The folder to go to; null = the root. */
  readonly folderId?: string | null | undefined;
}

/** What was asked to be removed: gone now, or not, and why. */
export interface RemovedItems {
  readonly removed: readonly string[];
  readonly failed: readonly { readonly id: string; readonly code: DomainErrorCode }[];
}

/** Most items that one call changes. */
const MOST_ITEMS = 500;
/** How often somebody else may take a name between finding it free and using it. */
const TRIES = 5;

/**
 * Changes in the tree of an account by ids (OwnTreeReader says what is in it). Nothing is ever refused or replaced because of its name: one that is taken gets
 * a number. All the rest is judged where it is done, as for everybody.
 */
@Injectable()
export class OwnTreeActions {
  constructor(
    private readonly reader: OwnTreeReader,
    private readonly maker: FolderService,
    private readonly moves: MoveService,
    private readonly manyMoves: MoveManyService,
    private readonly names: FreeNames,
    private readonly bin: TrashService,
    private readonly intake: FileIntake,
    private readonly spaces: SpaceService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** PARENT_NOT_FOUND, NAME_ILLEGAL, FORBIDDEN, TREE_TOO_DEEP; QUOTA_EXCEEDED when whoever owns the place has no space left. */
  async createFolder(actor: AccountActor, parentId: string | null, name: string): Promise<LocatedNode> {
    const { id } = await this.target(actor, parentId);
    return this.maker.createIn(actor, { folder: { id }, name, needsSpace: true, onConflict: 'rename' });
  }

  /**
   * Renames and moves, both or neither; going where it is already is no change. INVALID_ARGUMENT for a file that would get another extension,
   * NODE_NOT_FOUND, PARENT_NOT_FOUND for the folder to go to, ROOT_IMMUTABLE; else as MoveService.
   */
  async change(actor: AccountActor, kind: ItemKind, id: string | null, { name, folderId }: ChangeItem): Promise<LocatedNode> {
    return this.whileNamesAreTaken(async () => {
      const node = await this.reader.get(actor, kind, id);
      if (node.parentId === null) throw rootImmutable();
      if (kind === 'file' && name !== undefined && extensionOf(name).toLowerCase() !== extensionOf(node.name).toLowerCase()) {
        throw new DomainError('INVALID_ARGUMENT', 'cannot change file extension');
      }
      const target = folderId === undefined ? null : await this.target(actor, folderId);
      const moved = target ? await this.moveTo(actor, node, target) : node;
      return name === undefined ? moved : this.rename(actor, moved, name);
    });
  }

  /** Moves all of the items, or none. PARENT_NOT_FOUND for the target, NODE_NOT_FOUND for any item, ROOT_IMMUTABLE, INVALID_ARGUMENT; else as MoveService. */
  async move(actor: AccountActor, kind: ItemKind, ids: readonly (string | null)[], targetId: string | null): Promise<LocatedNode[]> {
    const wanted = checkedIds(ids);
    return this.whileNamesAreTaken(async () => {
      const target = await this.target(actor, targetId);
      const found = (await this.reader.find(actor, kind, wanted)).map((placed) => {
        if (!placed) throw nodeNotFound('source');
        return placed.node;
      });
      if (found.some((node) => node.parentId === null)) throw rootImmutable();
      return this.manyMoves.move(actor, { sourceIds: found.map(({ id }) => id), targetFolderId: target.id });
    });
  }

  /** Puts items into the trash, each for itself; one that lies in another of them goes with it. ROOT_IMMUTABLE: then none goes; INVALID_ARGUMENT. */
  async remove(actor: AccountActor, kind: ItemKind, ids: readonly (string | null)[]): Promise<RemovedItems> {
    const wanted = checkedIds(ids);
    const found = await this.reader.find(actor, kind, wanted);
    if (wanted.includes(null) || found.some((placed) => placed?.node.parentId === null)) throw rootImmutable();
    const listed = found.filter((placed) => placed !== null);
    const chosen = new Set(listed.map(({ node }) => node.id));
    const tops = listed.filter(({ chain }) => !chain.slice(0, -1).some((above) => chosen.has(above)));
    const outcomes = await this.bin.trash(actor, { nodes: tops.map(({ node }) => ({ id: node.id })), onlyEmpty: false, permanent: false });
    const refused = new Map(tops.flatMap(({ node }, index) => codeOf(node.id, outcomes[index])));
    return wanted.reduce<{ removed: string[]; failed: RemovedItems['failed'][number][] }>(
      (all, id, index) => {
        const code = refusalOf(found[index] ?? null, refused);
        if (code === null) all.removed.push(id!);
        else all.failed.push({ id: id!, code });
        return all;
      },
      { removed: [], failed: [] },
    );
  }

  /** Puts one item into the trash. NODE_NOT_FOUND, FORBIDDEN, ROOT_IMMUTABLE. */
  async removeOne(actor: AccountActor, kind: ItemKind, id: string | null): Promise<void> {
    const { failed } = await this.remove(actor, kind, [id]);
    const [refusal] = failed;
    if (!refusal) return;
    throw refusal.code === 'NODE_NOT_FOUND' ? nodeNotFound() : new DomainError(refusal.code, 'This cannot be removed.');
  }

  /** The folder that takes something. PARENT_NOT_FOUND. */
  async target(actor: AccountActor, id: string | null): Promise<LocatedNode> {
    const [found] = await this.reader.find(actor, 'folder', [id]);
    if (!found) throw new DomainError('PARENT_NOT_FOUND', 'The folder was not found.');
    return found.node;
  }

  /** Makes a file of what has arrived: where it was taken for, or in another folder when only then it is known where it belongs. As FileIntake.confirm. */
  async confirm(actor: AccountActor, arrived: ArrivedFile, elsewhere?: string | null): Promise<LocatedNode> {
    if (elsewhere === undefined) return (await this.intake.confirm(actor, [arrived]))[0]!;
    return this.whileNamesAreTaken(async () => {
      const target = await this.target(actor, elsewhere);
      // Moves take this lock before any row; what is confirmed first holds rows.
      await this.spaces.lock((await this.spaces.homeOf(actor.accountId)).spaceId);
      const [node] = await this.intake.confirm(actor, [arrived]);
      return this.moveTo(actor, node!, target);
    });
  }

  /** Folders with their sizes; see OwnTreeReader.sized. */
  sized(folders: readonly LocatedNode[]): Promise<(SizedFolder & { readonly node: LocatedNode })[]> {
    return this.reader.sized(folders);
  }

  private async moveTo(actor: AccountActor, node: LocatedNode, target: LocatedNode): Promise<LocatedNode> {
    if (node.parentId === target.id) return node;
    return this.moves.move(actor, { source: { id: node.id }, targetFolder: { id: target.id }, onConflict: 'rename' });
  }

  private async rename(actor: AccountActor, node: LocatedNode, name: string): Promise<LocatedNode> {
    const candidate = name === node.name ? name : await this.freeName(node, name);
    return this.moves.rename(actor, { node: { id: node.id }, name: candidate });
  }

  /** Its own name in another spelling is not taken. */
  private async freeName(node: LocatedNode, name: string): Promise<string> {
    const isOwn = name.toLowerCase().normalize() === node.name.toLowerCase().normalize();
    return isOwn ? name : this.names.find([node.parentId!], name, node.kind);
  }

  /** In one transaction, and again when somebody has taken a name that was free. */
  private async whileNamesAreTaken<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.unitOfWork.run(work);
      } catch (error) {
        if (!isDomainError(error, 'NAME_TAKEN') || tries === TRIES) throw error;
      }
    }
  }
}

function checkedIds(ids: readonly (string | null)[]): (string | null)[] {
  const once = [...new Set(ids)];
  if (once.length === 0 || once.length > MOST_ITEMS) throw new DomainError('INVALID_ARGUMENT', `One call changes 1 to ${MOST_ITEMS} items.`);
  return once;
}

function codeOf(id: string, outcome: object | undefined): [string, DomainErrorCode][] {
  return outcome && 'error' in outcome && outcome.error instanceof DomainError ? [[id, outcome.error.code]] : [];
}

/** Why an item is still there; null when it is gone: by itself, or with a folder above it. */
function refusalOf(placed: PlacedNode | null, refused: ReadonlyMap<string, DomainErrorCode>): DomainErrorCode | null {
  if (!placed) return 'NODE_NOT_FOUND';
  for (const id of placed.chain) {
    const code = refused.get(id);
    if (code !== undefined) return code;
  }
  return null;
}

function rootImmutable(): DomainError {
  return new DomainError('ROOT_IMMUTABLE', 'The root folder stays where and what it is.');
}
