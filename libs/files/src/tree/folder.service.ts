import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { type Actor, Clock, isDomainError } from '#libs/kernel';
import {
  authorOf,
  checkName,
  FolderMaker,
  FreeNames,
  type LocatedNode,
  type NodeRef,
  NodeResolver,
  quotaExceeded,
  QuotaLedger,
  SpaceService,
  viewerOf,
} from '#libs/nodes';

import { checkClientTime } from './client-time.js';

export interface CreateFolder {
  readonly path: readonly string[];
  /** False: PARENT_NOT_FOUND when the folder above is missing. */
  readonly createParents: boolean;
  /** The client's own dates in ms since the epoch; they may lie before it. */
  readonly clientCreatedMs?: number | null;
  readonly clientModifiedMs?: number | null;
}

export interface CreateFolderIn {
  readonly folder: NodeRef;
  readonly name: string;
  /** True: whoever owns the place must have space left. */
  readonly needsSpace?: boolean;
  /** `rename`: a name that is taken gets a number. Default `fail`. */
  readonly onConflict?: 'fail' | 'rename';
}

/** How often a free name may be taken by somebody else before it is used. */
const NAME_TRIES = 10;

/** Makes folders. */
@Injectable()
export class FolderService {
  constructor(
    private readonly spaces: SpaceService,
    private readonly maker: FolderMaker,
    private readonly resolver: NodeResolver,
    private readonly names: FreeNames,
    private readonly quotas: QuotaLedger,
    private readonly access: AccessService,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes the folder at `path`, in the space to which the path leads. NAME_TAKEN when anything is there already, NOT_A_FOLDER when a file is on
   * the way, PARENT_NOT_FOUND, NAME_ILLEGAL, TREE_TOO_DEEP, FORBIDDEN, INVALID_ARGUMENT for an impossible date.
   */
  async create(actor: Actor, command: CreateFolder): Promise<LocatedNode> {
    checkClientTime(command.clientCreatedMs);
    checkClientTime(command.clientModifiedMs);
    const start =
      actor.kind === 'guest' ? { spaceId: actor.spaceId, startId: actor.rootId } : { spaceId: (await this.spaces.homeOfActor(actor)).spaceId };
    const viewerId = viewerOf(actor);
    const { folder } = await this.maker.ensure(
      { ...command, ...start, authorId: authorOf(actor)!, viewerId, makerId: viewerId, nowMs: this.clock.nowMs(), mustBeNew: true },
      (parent) => this.access.require(actor, 'node.make-folder', [parent]),
    );
    return folder.node;
  }

  /** Makes a folder in another one, wherever that stands. NODE_NOT_FOUND, NOT_A_FOLDER, QUOTA_EXCEEDED; else as `create`. */
  async createIn(actor: Actor, { folder: ref, name, needsSpace = false, onConflict = 'fail' }: CreateFolderIn): Promise<LocatedNode> {
    const { node: parent } = await this.resolver.get(actor, ref);
    await this.access.require(actor, 'node.create', [parent]);
    if (needsSpace && (await this.quotas.freeBytes(parent.ownerId)) === 0) throw quotaExceeded();
    if (onConflict === 'fail' || parent.kind !== 'folder') return this.makeIn(actor, parent, name);
    for (let tries = 1; ; tries++) {
      try {
        return await this.makeIn(actor, parent, await this.names.find([parent.id], checkName(name), 'folder'));
      } catch (error) {
        if (!isDomainError(error, 'NAME_TAKEN') || tries === NAME_TRIES) throw error;
      }
    }
  }

  private async makeIn(actor: Actor, parent: LocatedNode, name: string): Promise<LocatedNode> {
    const viewerId = viewerOf(actor);
    const { folder } = await this.maker.ensure(
      {
        spaceId: parent.spaceId,
        startId: parent.id,
        path: [name],
        createParents: false,
        mustBeNew: true,
        authorId: authorOf(actor)!,
        viewerId,
        makerId: viewerId,
        nowMs: this.clock.nowMs(),
      },
      (found) => this.access.require(actor, 'node.make-folder', [found]),
    );
    return folder.node;
  }
}
