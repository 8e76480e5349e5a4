import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { type Actor, isUuid } from '#libs/kernel';
import { FreeNames, nodeNotFound, NodeRepository, NodeResolver, type Resolution, type UploadSession, viewerOf } from '#libs/nodes';

import { type FilePlace, placeOf } from './file-place.js';
import { type AskedPlan, planOf, starterOf, type UploadActor, type UploadPlan } from './upload-command.js';

/** Finds the places of uploads, and asks whether whoever started them may write there. */
@Injectable()
export class UploadPlaces {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly nodes: NodeRepository,
    private readonly names: FreeNames,
    private readonly access: AccessService,
  ) {}

  /** The place that an actor asks for, and the plan by which it is found again. As `placeOf`; NODE_NOT_FOUND, FORBIDDEN. */
  async begin(actor: UploadActor, asked: AskedPlan, folderId?: string): Promise<{ plan: UploadPlan; place: FilePlace }> {
    const [resolution] = folderId === undefined ? await this.resolver.resolveMany(actor, [wayOf(asked)]) : [await this.below(actor, folderId, asked)];
    // a guest brings nothing over a file: it gets another name
    await this.access.require(actor, 'node.upload', [resolution!.placed.node]);
    const { startId, rest } = resolution!;
    const path = asked.onConflict === 'rename' ? [...rest, asked.path[asked.path.length - 1]!] : rest;
    const place = await this.place(asked, resolution!);
    if (place.missingFolders.length > 0) await this.access.require(actor, 'node.make-folder', [place.folder]);
    return { plan: { ...asked, startId, path }, place };
  }

  /**
   * Where the path of a session leads now. `asker` must be allowed to write there too, when it is not the starter himself. NODE_NOT_FOUND,
   * also when the folder in which the path begins has gone elsewhere; FORBIDDEN.
   */
  async find(session: UploadSession, asker: Actor | null = null): Promise<Resolution> {
    const plan = planOf(session);
    const starter = starterOf(session);
    const resolution = await this.resolve(session, plan, starter);
    await this.requireWrite(starter, [resolution]);
    if (asker?.kind === 'account' && starter.kind === 'account' && asker.accountId !== starter.accountId)
      await this.requireWrite(asker, [resolution]);
    return resolution;
  }

  /** The place for a plan at what its path leads to. A name that is taken gets a number where that is the plan. As `placeOf`. */
  async place(plan: AskedPlan, resolution: Resolution): Promise<FilePlace> {
    if (plan.onConflict !== 'rename') return placeOf(plan, resolution);
    const { placed, missing } = resolution;
    const asked = plan.path[plan.path.length - 1]!;
    const name = missing.length === 0 && placed.node.kind === 'folder' ? await this.freeName(placed.node.id, asked) : asked;
    return placeOf(plan, { placed, missing: [...missing, name] });
  }

  /** `name`, or `name (1)` and so on: the first that nothing in the folder has. */
  freeName(folderId: string, name: string): Promise<string> {
    return this.names.find([folderId], name, 'file');
  }

  /** Where the path leads from a folder; a plan that keeps it finds it there again. */
  private async below(actor: UploadActor, folderId: string, asked: AskedPlan): Promise<Resolution> {
    const resolution = isUuid(folderId) ? await this.nodes.resolveFrom(folderId, wayOf(asked), viewerOf(actor)) : null;
    if (!resolution) throw nodeNotFound('target');
    return { ...resolution, startId: folderId, rest: wayOf(asked) };
  }

  private async resolve({ spaceId, rootId, ownerId }: UploadSession, plan: UploadPlan, starter: UploadActor): Promise<Resolution> {
    const viewerId = viewerOf(starter);
    // From the top of one's own tree, as most uploads go, it is a statement of a fourth of the cost.
    const fromTop = plan.startId === rootId && viewerId === ownerId;
    const resolution = fromTop
      ? await this.nodes.resolvePath(spaceId, wayOf(plan), viewerId)
      : await this.nodes.resolveFrom(plan.startId, wayOf(plan), viewerId);
    // Its bytes are held in the quota of that space's owner.
    if (resolution?.placed.node.spaceId !== spaceId) throw nodeNotFound('target');
    return resolution;
  }

  private async requireWrite(actor: Actor, resolutions: readonly Resolution[]): Promise<void> {
    for (const { placed } of resolutions) {
      const replaces = placed.node.kind === 'file' && actor.kind !== 'guest';
      await this.access.require(actor, replaces ? 'node.write' : 'node.create', [placed.node]);
    }
  }
}

/** What is looked up: the file, or its folder where the file's name is still to be found. */
function wayOf({ path, onConflict }: AskedPlan): readonly string[] {
  return onConflict === 'rename' ? path.slice(0, -1) : path;
}
