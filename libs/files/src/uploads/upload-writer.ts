import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock, newId } from '#libs/kernel';
import {
  type Blob,
  bytesOf,
  type ChangedNode,
  ChangeLog,
  type FileToWrite,
  FileWriter,
  FolderLimits,
  FolderMaker,
  type LocatedNode,
  mediaOf,
  mimeTypeOf,
  type NodeChange,
  type NodeView,
  pathKey,
  type PlacedNode,
  QuotaLedger,
  type UploadSession,
  UploadSessionRepository,
  type UploadToWrite,
  viewerOf,
} from '#libs/nodes';

import { fileAt, type FilePlace, pathAt } from './file-place.js';
import { Overtaken } from './overtaken.js';
import { planOf, starterOf, type UploadActor, type UploadPlan } from './upload-command.js';
import { UploadPlaces } from './upload-places.js';

/** An upload that has arrived, and where it goes. */
export interface PlacedUpload {
  readonly session: UploadSession;
  readonly place: FilePlace;
}

interface PlannedUpload extends PlacedUpload {
  readonly item: UploadToWrite;
}

/** Writes what has arrived: folders that are missing, the file or its version, and the news of both, all or nothing. */
@Injectable()
export class UploadWriter {
  constructor(
    private readonly places: UploadPlaces,
    private readonly folders: FolderMaker,
    private readonly writer: FileWriter,
    private readonly sessions: UploadSessionRepository,
    private readonly quotas: QuotaLedger,
    private readonly limits: FolderLimits,
    private readonly changes: ChangeLog,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** The file of one session. Throws Overtaken, or what `isOvertaking` knows, when the session or the place changed since they were looked up. */
  async fromSession(upload: PlacedUpload): Promise<LocatedNode> {
    return (await this.inOneStatement(upload)) ?? this.unitOfWork.run(() => this.inTransaction(upload));
  }

  /** The common way. Null when it cannot be gone: folders are missing, a free name is to be found, or the space has folders with limits. */
  private async inOneStatement({ session, place }: PlacedUpload): Promise<LocatedNode | null> {
    if (place.missingFolders.length > 0 || planOf(session).onConflict === 'rename') return null;
    const nowMs = this.clock.nowMs();
    const item = uploadAt(session, place, place.folder.id, nowMs);
    const [node] = await this.write([{ session, place, item }], nowMs, item.spaceId);
    return node ? { ...node, path: pathAt(place, place.folder, item.name) } : null;
  }

  private async inTransaction({ session, place }: PlacedUpload): Promise<LocatedNode> {
    const plan = planOf(session);
    const nowMs = this.clock.nowMs();
    const folder = await this.folderOf(starterOf(session), plan, place, nowMs);
    const named = plan.onConflict === 'rename' ? await this.renamed(plan, place, folder.id) : place;
    const item = uploadAt(session, named, folder.id, nowMs);
    const [node] = await this.write([{ session, place: named, item }], nowMs);
    if (!node) throw new Overtaken();
    await this.limits.requireCounted(node.spaceId, [item.parentId]);
    return { ...node, path: pathAt(named, folder, item.name) };
  }

  /**
   * The files of many sessions of one account in one space, by the sessions' names; what changed since it was looked up is missing. Any
   * refusal undoes all of it.
   */
  async fromSessions(placed: readonly PlacedUpload[]): Promise<Map<string, NodeView>> {
    const { session } = placed[0]!;
    return this.unitOfWork.run(async () => {
      const nowMs = this.clock.nowMs();
      const folders = await this.foldersOf(starterOf(session), placed, nowMs);
      const planned = placed.map((upload): PlannedUpload => {
        const folderId = folders.get(folderKey(upload)) ?? upload.place.folder.id;
        return { ...upload, item: uploadAt(upload.session, upload.place, folderId, nowMs) };
      });
      const written = [
        ...(await this.write(planned.filter(isNew), nowMs)),
        ...(await this.write(
          planned.filter((upload) => !isNew(upload)),
          nowMs,
        )),
      ];
      const nodes = new Map(written.map((node) => [node.id, node]));
      const done = planned.flatMap(({ session: { tempName }, item }) => {
        const node = nodes.get(item.nodeId);
        return node ? [{ node, item, tempName }] : [];
      });
      await this.limits.requireCounted(
        session.spaceId,
        done.map(({ item }) => item.parentId),
      );
      return new Map(done.map(({ node, tempName }) => [tempName, node]));
    });
  }

  /** New files, or new versions, of one account's sessions in one space, and the news of them. `unlimitedSpaceId` as FileWriter has it. */
  private async write(planned: readonly PlannedUpload[], nowMs: number, unlimitedSpaceId?: string): Promise<readonly NodeView[]> {
    const [first] = planned;
    if (!first) return [];
    const starter = starterOf(first.session);
    const news = planned.map((upload) => changeOfFile(starterOf(upload.session), expectedFile(upload, nowMs), upload.item));
    const items = planned.map(({ item }) => item);
    const { nodes } = await this.changes.recordIn(news, (told) =>
      this.writer.fromUploads(first.session.ownerId, viewerOf(starter), items, nowMs, told, unlimitedSpaceId),
    );
    return nodes;
  }

  /** A file whose bytes are in the store already; the caller holds the blob in the surrounding transaction. Throws as `fromSession`. */
  async fromBlob(actor: UploadActor, plan: UploadPlan, place: FilePlace, blob: Blob): Promise<LocatedNode> {
    const nowMs = this.clock.nowMs();
    const folder = await this.folderOf(actor, plan, place, nowMs);
    const item = fileAt(plan, place, folder.id, blob.id, nowMs);
    // The file's row first, the quota last: the order in which confirming takes its locks.
    const node = await this.writer.fromBlob(viewerOf(actor), item, nowMs);
    if (!node) throw new Overtaken();
    await this.quotas.add(node.ownerId, bytesOf(mediaOf(mimeTypeOf(item.name)), blob.sizeBytes));
    await this.changes.record([changeOfFile(actor, node, item)]);
    await this.limits.requireCounted(node.spaceId, [item.parentId]);
    return { ...node, path: pathAt(place, folder, item.name) };
  }

  /** Two guests who bring one name wait for each other here, so that each finds a free one. */
  private async renamed(plan: UploadPlan, place: FilePlace, folderId: string): Promise<FilePlace> {
    await this.sessions.lockNames(folderId);
    return { ...place, name: await this.places.freeName(folderId, plan.path[plan.path.length - 1]!) };
  }

  private async folderOf(actor: UploadActor, plan: UploadPlan, place: FilePlace, nowMs: number): Promise<LocatedNode> {
    if (place.missingFolders.length === 0) return place.folder;
    return (await this.ensure(actor, plan, place.folder.spaceId, nowMs)).node;
  }

  /** Ids of the folders that were missing, by `folderKey`; made in the order of paths, as every maker of many folders does it. */
  private async foldersOf(actor: UploadActor, placed: readonly PlacedUpload[], nowMs: number): Promise<Map<string, string>> {
    const wanted = new Map(placed.filter(({ place }) => place.missingFolders.length > 0).map((upload) => [folderKey(upload), upload]));
    const made = new Map<string, string>();
    for (const [key, { session }] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))) {
      made.set(key, (await this.ensure(actor, planOf(session), session.spaceId, nowMs)).node.id);
    }
    return made;
  }

  private async ensure(actor: UploadActor, plan: UploadPlan, spaceId: string, nowMs: number): Promise<PlacedNode> {
    const { startId, path, authorId } = plan;
    const viewerId = viewerOf(actor);
    const command = { spaceId, startId, path: path.slice(0, -1), authorId, viewerId, makerId: viewerId, nowMs };
    return (await this.folders.ensure(command)).folder;
  }
}

/** The same for uploads into one folder, and for no others. */
export function folderKey({ session }: Pick<PlacedUpload, 'session'>): string {
  return pathKey(planOf(session).path.slice(0, -1));
}

/** The row to write for a session at its place. */
function uploadAt(session: UploadSession, place: FilePlace, folderId: string, nowMs: number): UploadToWrite {
  const plan = planOf(session);
  const file = {
    ...fileAt(plan, place, folderId, newId(nowMs), nowMs, plan.diff ? 'diff' : 'upload'),
    diffBytes: plan.diff?.made?.diffBytes ?? null,
  };
  return { ...file, sessionId: session.id, storeKey: session.storeKey };
}

function isNew({ item }: PlannedUpload): boolean {
  return item.seenVersionNo === 0;
}

/** The file as it will be when nobody else writes it meanwhile. */
function expectedFile({ session, place, item }: PlannedUpload, nowMs: number): ChangedNode {
  const { nodeId: id, spaceId, mimeType, clientCreatedMs, clientModifiedMs } = item;
  return {
    id,
    spaceId,
    ownerId: session.ownerId,
    kind: 'file',
    versionNo: item.seenVersionNo + 1,
    sizeBytes: session.sizeBytes ?? 0,
    mimeType,
    createdMs: clientCreatedMs ?? place.existing?.createdMs ?? nowMs,
    modifiedMs: clientModifiedMs ?? nowMs,
  };
}

function changeOfFile(actor: UploadActor, node: ChangedNode, { parentId, name, seenVersionNo }: FileToWrite): NodeChange {
  return { type: seenVersionNo === 0 ? 'file_created' : 'file_new_content', actorId: viewerOf(actor), node, folderId: parentId, name };
}
