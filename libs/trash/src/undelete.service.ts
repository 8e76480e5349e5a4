import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, DomainError, isDomainError } from '#libs/kernel';
import {
  type ChangedRow,
  nameKey,
  nodeNotFound,
  NodeRepository,
  NodeResolver,
  type NodeView,
  pathSegments,
  type PlacedNode,
  type Resolution,
  restoreKey,
  SpaceService,
  TrashRepository,
  viewerOf,
} from '#libs/nodes';

import type { TrashOutcome } from './outcome.js';
import { SharedTrashRepository } from './repositories/shared-trash.repository.js';
import { nameTaken, type Planned, restored, RestoreService } from './restore.service.js';

const TRIES = 3;
/** Looks for spaces that had no lock yet. */
const ROUNDS = 5;

/** One path that was asked for. */
interface Asked {
  readonly path: readonly string[];
  readonly resolution: Resolution;
  /** The space in which it would be, and the path that its owner knows it by. */
  readonly spaceId: string;
  readonly ownerPath: readonly string[];
}

/** Brings back what was deleted at a path. */
@Injectable()
export class UndeleteService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly spaces: SpaceService,
    private readonly nodes: NodeRepository,
    private readonly rows: TrashRepository,
    private readonly shared: SharedTrashRepository,
    private readonly restores: RestoreService,
    private readonly access: AccessService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Brings back, in place, what was trashed last at each path of the actor; a constant number of statements for each owner concerned, unless
   * folders have to be made anew. Errors per path: NOT_IN_TRASH (something is there), INSIDE_TRASHED_FOLDER, NODE_NOT_FOUND, FORBIDDEN, NAME_TAKEN
   * (its folder was moved), TREE_TOO_DEEP.
   */
  async undelete(actor: Actor, { paths }: { readonly paths: readonly (readonly string[])[] }): Promise<TrashOutcome<readonly string[]>[]> {
    if (paths.length === 0) return [];
    if (actor.kind === 'guest') throw new DomainError('FORBIDDEN', 'Your rights here do not allow this.');
    let spaceIds = [(await this.spaces.homeOfActor(actor)).spaceId];
    // An upload can take a name between our look and our write. Its row is there for the next look.
    for (let tries = 1, round = 1; ; round++) {
      try {
        const known = spaceIds;
        const { outcomes, more } = await this.unitOfWork.run(() => this.once(actor, paths, known, round < ROUNDS));
        if (outcomes) return outcomes;
        spaceIds = [...new Set([...known, ...more])].sort();
      } catch (error) {
        if (tries++ === TRIES || !isDomainError(error, 'NAME_TAKEN')) throw error;
      }
    }
  }

  /** The outcomes; or, with `mayStop`, the spaces that have to be locked as well. */
  private async once(
    actor: Actor,
    paths: readonly (readonly string[])[],
    spaceIds: readonly string[],
    mayStop: boolean,
  ): Promise<{ readonly outcomes: TrashOutcome<readonly string[]>[] | null; readonly more: readonly string[] }> {
    for (const spaceId of spaceIds) await this.spaces.lock(spaceId);
    const asked = await this.ask(actor, paths);
    const more = asked.map((each) => each.spaceId).filter((spaceId) => !spaceIds.includes(spaceId));
    if (more.length > 0 && mayStop) return { outcomes: null, more };
    const trashed = await this.find(actor, asked, spaceIds);
    const rights = await this.access.rights(actor, [...trashed.values()]);
    const parents = await this.restores.parentsOf(actor, [...trashed.values()]);
    const inTrash = await this.insideTrash(
      actor,
      asked.filter((each) => !trashed.has(each)),
    );
    const errors = new Map<number, DomainError>();
    const planned = new Map<number, Planned>();
    const seen = new Set<string>();
    for (const [index, each] of asked.entries()) {
      const node = trashed.get(each);
      try {
        if (each.resolution.missing.length === 0 || (node && seen.has(node.id))) {
          throw new DomainError('NOT_IN_TRASH', `"/${each.path.join('/')}" is not in the trash.`);
        }
        if (!node || !rights.get(node.id)) throw inTrash.has(each) ? insideTrashed() : nodeNotFound();
        if (!rights.get(node.id)!.delete) throw new DomainError('FORBIDDEN', 'Your rights here do not allow this.');
        planned.set(index, await this.plan(actor, each, node, parents));
        seen.add(node.id);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        errors.set(index, error);
      }
    }
    const rows = await this.putBack(actor, planned, errors);
    const outcomes = paths.map((path, index) => {
      const plan = planned.get(index);
      const row = plan && rows.get(plan.node.id);
      return plan && row ? { ref: path, node: restored(plan, row) } : { ref: path, error: errors.get(index) ?? nodeNotFound() };
    });
    return { outcomes, more: [] };
  }

  /** Where the paths would be: one statement, and one more when some lead into shared folders of others. */
  private async ask(actor: Actor, paths: readonly (readonly string[])[]): Promise<Asked[]> {
    const resolutions = await this.resolver.resolveMany(actor, paths);
    const viewerId = viewerOf(actor);
    const starts = resolutions.filter(({ placed }) => placed.node.ownerId !== viewerId).map(({ startId }) => startId);
    const located = await this.nodes.locate([...new Set(starts)], null);
    return resolutions.map((resolution, index) => {
      const path = paths[index]!;
      const start = located.get(resolution.startId);
      const ownerPath = start ? [...pathSegments(start.node.path), ...resolution.rest] : path;
      return { path, resolution, spaceId: resolution.placed.node.spaceId, ownerPath };
    });
  }

  /** What was trashed last at each path. In shared folders the folder counts before its path, which the owner may have changed. */
  private async find(actor: Actor, asked: readonly Asked[], spaceIds: readonly string[]): Promise<Map<Asked, NodeView>> {
    const viewerId = viewerOf(actor);
    const found = new Map<Asked, NodeView>();
    for (const spaceId of spaceIds) {
      const here = asked.filter((each) => each.spaceId === spaceId);
      if (here.length === 0) continue;
      const byKey = await this.rows.newestByKey(
        spaceId,
        here.map((each) => restoreKey(each.ownerPath)),
        viewerId,
      );
      for (const each of here) {
        const node = byKey.get(restoreKey(each.ownerPath));
        if (node) found.set(each, node);
      }
    }
    const shared = asked.filter(({ resolution: { placed, missing } }) => placed.node.ownerId !== viewerId && missing.length === 1);
    const places = shared.map(({ resolution: { placed, missing } }) => ({ folderId: placed.node.id, nameKey: nameKey(missing[0]!) }));
    const newest = await this.shared.newestIn(places);
    const nodes = new Map((await this.nodes.byIds([...newest.values()], viewerId)).map((node) => [node.id, node]));
    shared.forEach((each, index) => {
      const node = nodes.get(newest.get(`${places[index]!.folderId}/${places[index]!.nameKey}`) ?? '');
      if (node) found.set(each, node);
    });
    return found;
  }

  private async plan(actor: Actor, { resolution }: Asked, node: NodeView, parents: ReadonlyMap<string, PlacedNode>): Promise<Planned> {
    if (!parents.get(node.parentId!)?.live) throw insideTrashed();
    const sharedId = node.ownerId === viewerOf(actor) ? null : resolution.startId;
    const folder = await this.restores.folderFor(actor, node, parents, sharedId);
    await this.restores.checkPlan({ node, folder });
    return { node, folder };
  }

  /** Writes what is planned, except where a name is taken: those are moved to `errors`. */
  private async putBack(actor: Actor, planned: Map<number, Planned>, errors: Map<number, DomainError>): Promise<Map<string, ChangedRow>> {
    const free = await this.withFreeNames([...planned.values()]);
    for (const [index, plan] of planned) {
      if (free.has(plan.node.id)) continue;
      errors.set(index, nameTaken(plan));
      planned.delete(index);
    }
    const rows = new Map<string, ChangedRow>();
    const plans = [...planned.values()];
    for (const spaceId of [...new Set(plans.map(({ node }) => node.spaceId))].sort()) {
      const here = plans.filter(({ node }) => node.spaceId === spaceId);
      for (const [id, row] of await this.restores.putBack(actor, spaceId, here)) rows.set(id, row);
    }
    return rows;
  }

  /** Those of the plans whose name nothing live, and no earlier plan, has in their folder. */
  private async withFreeNames(plans: readonly Planned[]): Promise<Set<string>> {
    const taken = await this.nodes.takenPlaces(plans.map(({ node, folder }) => ({ parentId: folder.node.id, nameKey: nameKey(node.name) })));
    const free = new Set<string>();
    for (const { node, folder } of plans) {
      const place = `${folder.node.id}/${nameKey(node.name)}`;
      if (taken.has(place)) continue;
      taken.add(place);
      free.add(node.id);
    }
    return free;
  }

  /** Those that lead into something that is in the trash and that the actor may take back. */
  private async insideTrash(actor: Actor, asked: readonly Asked[]): Promise<Set<Asked>> {
    const inside = new Set<Asked>();
    for (const spaceId of new Set(asked.map((each) => each.spaceId))) {
      const here = asked.filter((each) => each.spaceId === spaceId);
      const found = await this.rows.resolveRemoved(
        spaceId,
        here.map((each) => each.ownerPath),
        viewerOf(actor),
      );
      const rights = await this.access.rights(
        actor,
        found.flatMap((placed) => (placed ? [placed.node] : [])),
      );
      here.forEach((each, index) => {
        const placed = found[index];
        if (placed && rights.get(placed.node.id)) inside.add(each);
      });
    }
    return inside;
  }
}

function insideTrashed(): DomainError {
  return new DomainError('INSIDE_TRASHED_FOLDER', 'It is in a folder that is in the trash itself.');
}
