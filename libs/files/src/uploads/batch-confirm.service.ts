import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, type DomainErrorCode } from '#libs/kernel';
import { FileWriter, FolderMaker, NodeRepository, pathKey, type UploadSession, UploadSessionRepository } from '#libs/nodes';

import { ConfirmService, uploadAt, verifyDeclared } from './confirm.service.js';
import { type FilePlace, placeOf } from './file-place.js';
import { isTempName } from './temp-names.js';
import type { UploadPlan } from './upload-command.js';

export interface UploadName {
  readonly accountId: number;
  readonly tempName: string;
}

/** What became of one upload: the id of its file, or why there is none. */
export type ConfirmOutcome =
  { readonly nodeId: string } | { readonly path: string | null; readonly error: { readonly code: DomainErrorCode; readonly message: string } };

interface Placed {
  readonly session: UploadSession;
  readonly place: FilePlace;
}

/** Confirms many uploads with a handful of statements; what does not fit the common way is confirmed one by one. */
@Injectable()
export class BatchConfirmService {
  constructor(
    private readonly confirms: ConfirmService,
    private readonly sessions: UploadSessionRepository,
    private readonly nodes: NodeRepository,
    private readonly folders: FolderMaker,
    private readonly writer: FileWriter,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Outcomes in the order of `names`. Repeating it gives the same for what was confirmed. */
  async confirm(actor: AccountActor, names: readonly UploadName[]): Promise<ConfirmOutcome[]> {
    const sessions = await this.sessions.findMany(names.map((name) => name.tempName).filter(isTempName));
    const byName = new Map(sessions.map((session) => [session.tempName, session]));
    // In the order they were named: of two for one path the first is written first.
    const inOrder = [...new Set(names.map((name) => byName.get(name.tempName)))].filter((session) => session !== undefined);
    const done = await this.writeTogether(inOrder.filter((session) => session.accountId === actor.accountId && isReady(session)));
    const outcomes: ConfirmOutcome[] = [];
    for (const name of names) {
      const nodeId = done.get(name.tempName);
      outcomes.push(nodeId === undefined ? await this.confirmOne(actor, name, byName.get(name.tempName)) : { nodeId });
    }
    return outcomes;
  }

  /** Ids of the files by name of the upload. What another change gets in the way of is missing. */
  private async writeTogether(ready: readonly UploadSession[]): Promise<Map<string, string>> {
    const placed = await this.places(ready);
    if (placed.length === 0) return new Map();
    try {
      return await this.unitOfWork.run(() => this.writePlaced(placed));
    } catch (error) {
      // Any refusal concerns one of them: one by one it is told to that one alone.
      if (error instanceof DomainError) return new Map();
      throw error;
    }
  }

  private async places(ready: readonly UploadSession[]): Promise<Placed[]> {
    const [first] = ready;
    if (!first) return [];
    // Of uploads to one path only the first comes along: the next has to see what it did.
    const distinct = [...new Map(ready.map((session) => [pathKey(planOf(session).path), session] as const).reverse()).values()].filter(
      (session) => session.spaceId === first.spaceId,
    );
    const resolutions = await this.nodes.resolveMany(
      first.spaceId,
      distinct.map((session) => planOf(session).path),
      first.accountId,
    );
    return distinct.flatMap((session, index) => {
      try {
        return [{ session, place: placeOf(planOf(session), resolutions[index]!) }];
      } catch (error) {
        if (error instanceof DomainError) return [];
        throw error;
      }
    });
  }

  private async writePlaced(placed: readonly Placed[]): Promise<Map<string, string>> {
    const nowMs = this.clock.nowMs();
    const made = await this.makeFolders(placed, nowMs);
    const items = placed.map(({ session, place }) => {
      const folderId = place.missingFolders.length === 0 ? place.folder.id : made.get(folderKey(session))!;
      return uploadAt(session, place, folderId, nowMs);
    });
    const { ownerId, accountId } = placed[0]!.session;
    const fresh = items.filter((item) => item.seenVersionNo === 0);
    const newer = items.filter((item) => item.seenVersionNo > 0);
    const written = [
      ...(await this.writer.fromUploads(ownerId, accountId, fresh, nowMs)),
      ...(await this.writer.fromUploads(ownerId, accountId, newer, nowMs)),
    ];
    const ids = new Set(written.map((node) => node.id));
    return new Map(placed.flatMap(({ session }, index) => (ids.has(items[index]!.nodeId) ? [[session.tempName, items[index]!.nodeId]] : [])));
  }

  /** Ids of the folders that were missing, by key of their path; in the order of paths, as every maker of many folders does it. */
  private async makeFolders(placed: readonly Placed[], nowMs: number): Promise<Map<string, string>> {
    const wanted = new Map(placed.filter(({ place }) => place.missingFolders.length > 0).map(({ session }) => [folderKey(session), session]));
    const made = new Map<string, string>();
    for (const [key, { spaceId, accountId, command }] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { path, authorId } = command as UploadPlan;
      const { folder } = await this.folders.ensure({ spaceId, path: path.slice(0, -1), authorId, viewerId: accountId, nowMs });
      made.set(key, folder.node.id);
    }
    return made;
  }

  private async confirmOne(actor: AccountActor, name: UploadName, session: UploadSession | undefined): Promise<ConfirmOutcome> {
    try {
      return { nodeId: (await this.confirms.confirm({ ...name, actor })).id };
    } catch (error) {
      if (!(error instanceof DomainError) || error.code === 'BUSY' || error.code === 'STORAGE_UNAVAILABLE') throw error;
      const path = session?.accountId === actor.accountId ? `/${planOf(session).path.join('/')}` : null;
      return { path, error: { code: error.code, message: error.message } };
    }
  }
}

function planOf(session: UploadSession): UploadPlan {
  return session.command as UploadPlan;
}

function folderKey(session: UploadSession): string {
  return pathKey(planOf(session).path.slice(0, -1));
}

function isReady(session: UploadSession): boolean {
  if (session.state !== 'uploaded' || !session.accountActive || planOf(session).diff) return false;
  try {
    verifyDeclared(session);
    return true;
  } catch {
    return false;
  }
}
