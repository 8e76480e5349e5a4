import type { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type ArrivedFile, ConfirmService, CopyService, FileIntake } from '#libs/files';
import { Call, Clock, DomainError, isUuid, newId } from '#libs/kernel';
import {
  ChangeLog,
  type FolderDelta,
  folderDelta,
  FolderMaker,
  type LocatedNode,
  mimeTypeOf,
  nameKey,
  negated,
  type NodeChange,
  nodeNotFound,
  NodeRepository,
  Purger,
  QuotaLedger,
  SpaceService,
  totalBytes,
  UploadSessionRepository,
  VersionRepository,
} from '#libs/nodes';
import { TrashService } from '#libs/trash';

import { type Bucket, type BucketFile, type BucketHolder, type BucketPage, filePath, folderPath, targetPath } from './bucket.js';
import { Buckets } from './buckets.service.js';
import { BucketFileRepository, type Relocation } from './repositories/bucket-file.repository.js';

/** Absent parts stay as they are. */
export interface FileChange {
  /** The last segment of the path. */
  readonly name?: string | undefined;
  /** The whole new path, or a folder when it ends with `/`. */
  readonly path?: string | undefined;
  readonly public?: boolean | undefined;
}

export interface CopyIntoBucket {
  readonly source: string;
  readonly target: string;
  /** One file by its path, to a path or into a folder (`targetPath`); or files by their ids, into a folder. */
  readonly files: { readonly path: string } | { readonly ids: readonly string[] };
  readonly targetPath: string;
}

/** Where a file goes, and what is said of it; absent parts stay as they are where a file is in the place, else: for nobody but the owner, and nothing. */
export interface FileWish {
  readonly bucket: string;
  /** The whole path, or a folder when it ends with `/` or is empty: then the file has the name that it came with. */
  readonly path: string;
  readonly name: string;
  readonly public?: boolean | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Bytes that have arrived and are durable; nobody sees them before they are kept. */
export interface ArrivedBucketFile {
  readonly arrived: ArrivedFile;
  /** Where they were sent, `bucket id/path`. */
  readonly place: string;
}

/** A file in a bucket, with what is said of it. */
interface Held {
  readonly node: LocatedNode;
  readonly bucket: Bucket;
}

const MOST_FILES = 1_000;

/**
 * Files in buckets. Folders are there as long as something lies in them: paths make them, and the last file that leaves takes them along. A holder finds
 * what his account owns in the buckets that he reaches; all else is NODE_NOT_FOUND.
 */
@Injectable()
export class BucketFiles {
  constructor(
    private readonly buckets: Buckets,
    private readonly rows: BucketFileRepository,
    private readonly nodes: NodeRepository,
    private readonly folders: FolderMaker,
    private readonly spaces: SpaceService,
    private readonly intake: FileIntake,
    private readonly confirms: ConfirmService,
    private readonly sessions: UploadSessionRepository,
    private readonly versions: VersionRepository,
    private readonly quotas: QuotaLedger,
    private readonly copies: CopyService,
    private readonly trash: TrashService,
    private readonly purger: Purger,
    private readonly changes: ChangeLog,
    private readonly access: AccessService,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** Files whose path begins with `prefix` (a slash in front does not count), in the order of their paths; a number of statements that does not grow. */
  async list(
    holder: BucketHolder,
    bucketName: string,
    page: { readonly prefix: string; readonly limit: number; readonly offset: number },
  ): Promise<BucketPage> {
    const bucket = await this.buckets.find(holder, bucketName);
    const { total, files } = await this.rows.list(bucket.rootId, page.prefix.replace(/^\//, ''), page.limit, page.offset);
    return { total, files: files.map((file) => ({ ...file, bucket })) };
  }

  async get(holder: BucketHolder, id: string): Promise<BucketFile> {
    return this.present(await this.held(holder, id));
  }

  /** Changes name, place and who may get it, all or nothing. NAME_TAKEN, NAME_ILLEGAL, TREE_TOO_DEEP, NOT_A_FOLDER. */
  async change(holder: BucketHolder, id: string, change: FileChange): Promise<BucketFile> {
    return this.unitOfWork.run(async () => {
      const { node, bucket } = await this.lockedHeld(holder, id);
      await this.access.require(holder.actor, 'node.write', [node]);
      if (change.public) await this.access.require(holder.actor, 'node.link', [node]);
      const path = change.path === undefined ? pathOf(node) : targetPath(change.path, node.name);
      const target = change.name === undefined ? path : filePath([...path.slice(0, -1), onlyName(change.name)].join('/'));
      await this.relocate(holder, bucket, [{ node, target }]);
      if (change.public !== undefined) await this.rows.setFacts(id, { public: change.public });
      Call.note('node', id);
      return this.get(holder, id);
    });
  }

  /** Puts files of a bucket into one folder of it, all or none. As `change`; INVALID_ARGUMENT for too many. */
  async move(holder: BucketHolder, bucketName: string, ids: readonly string[], folder: string): Promise<BucketFile[]> {
    const unique = idsOf(ids);
    const into = folderPath(folder);
    return this.unitOfWork.run(async () => {
      const bucket = await this.buckets.find(holder, bucketName);
      await this.spaces.lock(bucket.id);
      const held = await this.inBucket(bucket, unique);
      const moves = held.map((node) => ({ node, target: filePath([...into, node.name].join('/')) }));
      await this.relocate(holder, bucket, moves);
      return this.presentAll(bucket, unique);
    });
  }

  /** Copies files into a bucket, all or none; who may get them and what is said of them is copied too. As `change`; QUOTA_EXCEEDED. */
  async copy(holder: BucketHolder, { source, target, files, targetPath: text }: CopyIntoBucket): Promise<BucketFile[]> {
    const from = await this.buckets.find(holder, source);
    const to = await this.buckets.find(holder, target);
    const found = 'path' in files ? [await this.atPath(from, filePath(files.path))] : await this.inBucket(from, idsOf(files.ids));
    const into = 'path' in files ? null : folderPath(text);
    const copies = await this.unitOfWork.run(async () => {
      await this.spaces.lock(to.id);
      const made: string[] = [];
      const paths = found.map((node) => (into === null ? targetPath(text, node.name) : filePath([...into, node.name].join('/'))));
      const folders = await this.foldersOf(holder, to, paths);
      for (const [index, node] of found.entries()) {
        const path = paths[index]!;
        const name = path[path.length - 1]!;
        const folder = folders.get(folderOf(path))!;
        const shown = (copyId: string) => this.rows.copyFacts(node.id, copyId);
        const steps = { begun: () => Promise.resolve(), shown };
        const copy = await this.copies.copy(holder.actor, {
          source: { id: node.id },
          targetFolder: { id: folder.id },
          onConflict: 'fail',
          name,
          steps,
        });
        made.push(copy.id);
      }
      return made;
    });
    return this.presentAll(to, copies);
  }

  /** Erases a file: its bytes go too, unless a copy has them. */
  async remove(holder: BucketHolder, id: string): Promise<void> {
    const bucketId = await this.unitOfWork.run(async () => {
      const { node, bucket } = await this.lockedHeld(holder, id);
      const [outcome] = await this.trash.trash(holder.actor, { nodes: [{ id }], onlyEmpty: false, permanent: true });
      if (outcome && 'error' in outcome) throw outcome.error;
      await this.prune(holder, [node.parentId!]);
      return bucket.id;
    });
    // the job does the same; whoever asks what is used next shall not have to wait for it
    await Call.aside(() => this.purger.step(bucketId));
  }

  /**
   * Takes the bytes of a file, which goes where `wish` says, or where it is not known yet (null). As FileIntake.take; NODE_NOT_FOUND for the bucket, or when
   * there is none at all.
   */
  async take(holder: BucketHolder, wish: FileWish | null, body: Readable): Promise<ArrivedBucketFile> {
    const { bucket, path } = wish ? await this.placeOf(holder, wish) : await this.anyPlace(holder);
    const name = path[path.length - 1]!;
    const target = { id: bucket.rootId, kind: 'folder' } as const;
    const arrived = await this.intake.take(holder.actor, { target, below: path.slice(0, -1), name, body, sizeBytes: null });
    return { arrived, place: `${bucket.id}/${path.join('/')}` };
  }

  /** Makes the file of bytes that have arrived; one that is at its path gets them and keeps its id. As `take` and ConfirmService.confirm. */
  async keep(holder: BucketHolder, { arrived, place }: ArrivedBucketFile, wish: FileWish): Promise<BucketFile> {
    const { accountId } = holder.actor;
    const { tempName } = arrived.upload;
    try {
      const { bucket, path } = await this.placeOf(holder, wish);
      if (place !== `${bucket.id}/${path.join('/')}`) await this.intake.redirect(holder.actor, arrived, { folderId: bucket.rootId, path });
      const alongside = () => this.describe(accountId, tempName, wish);
      const { id } = await this.confirms.confirm({ accountId, tempName, actor: holder.actor, alongside });
      return await this.get(holder, id);
    } catch (error) {
      // nobody will try these bytes again: the space that they hold comes back with the next look of the reaper
      await Call.aside(() => this.sessions.setLease(tempName, this.clock.now()));
      throw error;
    }
  }

  private async placeOf(holder: BucketHolder, { bucket, path, name }: FileWish): Promise<{ bucket: Bucket; path: string[] }> {
    const found = await this.buckets.find(holder, bucket);
    return { bucket: found, path: targetPath(path, name) };
  }

  private async anyPlace(holder: BucketHolder): Promise<{ bucket: Bucket; path: string[] }> {
    return { bucket: await this.buckets.any(holder), path: [`upload-${newId()}`] };
  }

  /** In the transaction in which a file gets its bytes: what is said of it, and the end of the bytes that it had before. */
  private async describe(ownerId: number, tempName: string, { public: isPublic, metadata }: FileWish): Promise<void> {
    const nodeId = (await this.sessions.find(tempName))?.nodeId;
    if (!nodeId) throw new DomainError('INTERNAL', 'an upload was confirmed without a file');
    if (isPublic !== undefined || metadata !== undefined) await this.rows.setFacts(nodeId, { public: isPublic, metadata });
    const dueAt = new Date(this.clock.nowMs() + this.config.files.blobGraceSeconds * 1000);
    const { freed } = await this.versions.deleteOldOf([nodeId], dueAt);
    if (totalBytes(freed) > 0) await this.quotas.add(ownerId, negated(freed));
  }

  /** Needs the lock of the space. */
  private async relocate(holder: BucketHolder, bucket: Bucket, wanted: readonly { node: LocatedNode; target: readonly string[] }[]): Promise<void> {
    const moving = wanted.filter(({ node, target }) => target.join('/') !== pathOf(node).join('/'));
    if (moving.length === 0) return;
    const nodes = moving.map(({ node }) => node);
    await this.access.require(holder.actor, 'node.write', nodes);
    await this.access.require(holder.actor, 'node.delete', nodes);
    const places = new Set<string>();
    const moves: Relocation[] = [];
    const folders = await this.foldersOf(
      holder,
      bucket,
      moving.map(({ target }) => target),
    );
    for (const { node, target } of moving) {
      const name = target[target.length - 1]!;
      const folder = folders.get(folderOf(target))!;
      const key = nameKey(name);
      const place = `${folder.id}/${key}`;
      if (places.has(place)) throw taken(target);
      places.add(place);
      moves.push({ id: node.id, parentId: folder.id, name, nameKey: key, mimeType: name === node.name ? node.mimeType : mimeTypeOf(name) });
    }
    const own = new Set(nodes.map((node) => `${node.parentId}/${nameKey(node.name)}`));
    const occupied = await this.nodes.takenPlaces(moves.filter((move) => !own.has(`${move.parentId}/${move.nameKey}`)));
    const clash = moves.findIndex((move) => occupied.has(`${move.parentId}/${move.nameKey}`));
    if (clash >= 0) throw taken(moving[clash]!.target);
    const revisions = await this.rows.relocate(moves);
    if (revisions.size !== moves.length) throw nodeNotFound();
    const news: NodeChange[] = [];
    const deltas: FolderDelta[] = [];
    moves.forEach(({ id, parentId, name, mimeType }, index) => {
      const { node } = moving[index]!;
      const after = { ...node, name, mimeType, parentId, revision: revisions.get(id)! };
      const old = { folderId: node.parentId!, name: node.name, node };
      news.push({
        type: parentId === node.parentId ? 'file_renamed' : 'file_moved',
        actorId: holder.actor.accountId,
        node: after,
        folderId: parentId,
        name,
        old,
      });
      deltas.push(folderDelta(node.parentId!, node, -1), folderDelta(parentId, node, 1));
    });
    await this.changes.record(news);
    await this.nodes.bumpFolders(deltas);
    await this.prune(
      holder,
      nodes.map((node) => node.parentId!),
    );
  }

  /** Removes folders that hold nothing any more, upwards. */
  private async prune(holder: BucketHolder, folderIds: readonly string[]): Promise<void> {
    for (const start of new Set(folderIds)) {
      for (let id = start; ;) {
        const [folder] = await this.nodes.byIds([id]);
        const gone = folder === undefined ? null : await this.rows.removeEmpty(id);
        if (!folder || !gone) break;
        await this.changes.record([
          { type: 'folder_deleted', actorId: holder.actor.accountId, node: folder, folderId: gone.parentId, name: gone.name },
        ]);
        await this.nodes.bumpFolders([{ folderId: gone.parentId, files: 0, folders: -1, bytes: 0 }]);
        id = gone.parentId;
      }
    }
  }

  /** The folders of these file paths, each made or judged once, by `folderOf`. */
  private async foldersOf(holder: BucketHolder, bucket: Bucket, paths: readonly (readonly string[])[]): Promise<Map<string, LocatedNode>> {
    const folders = new Map<string, LocatedNode>();
    for (const path of paths) {
      const key = folderOf(path);
      if (!folders.has(key)) folders.set(key, await this.folder(holder, bucket, path.slice(0, -1)));
    }
    return folders;
  }

  private async folder({ actor }: BucketHolder, bucket: Bucket, path: readonly string[]): Promise<LocatedNode> {
    const { accountId } = actor;
    const command = {
      spaceId: bucket.id,
      startId: bucket.rootId,
      path,
      authorId: accountId,
      viewerId: accountId,
      makerId: accountId,
      nowMs: this.clock.nowMs(),
    };
    const { folder } = await this.folders.ensure(command, (above) => this.access.require(actor, 'node.make-folder', [above]));
    await this.access.require(actor, 'node.create', [folder.node]);
    return folder.node;
  }

  private async atPath(bucket: Bucket, path: readonly string[]): Promise<LocatedNode> {
    const found = await this.nodes.resolveFrom(bucket.rootId, path, null);
    if (found?.missing.length !== 0 || found.placed.node.kind !== 'file') throw nodeNotFound('source');
    return found.placed.node;
  }

  /** The files of these ids, in their order, when all are in the bucket. */
  private async inBucket(bucket: Bucket, ids: readonly string[]): Promise<LocatedNode[]> {
    const located = await this.nodes.locate(ids, null);
    return ids.map((id) => {
      const placed = located.get(id);
      if (!placed?.live || placed.node.spaceId !== bucket.id || placed.node.kind !== 'file') throw nodeNotFound();
      return placed.node;
    });
  }

  private async held(holder: BucketHolder, id: string): Promise<Held> {
    const placed = isUuid(id) ? (await this.nodes.locate([id], null)).get(id) : undefined;
    if (!placed?.live || placed.node.kind !== 'file') throw nodeNotFound();
    const { node } = placed;
    const bucket = await this.buckets.get(node.spaceId);
    const { actor, scope } = holder;
    if (!bucket || bucket.ownerId !== actor.accountId || (scope !== null && !scope.includes(bucket.id))) throw nodeNotFound();
    await this.access.require(actor, 'node.read', [node]);
    return { node, bucket };
  }

  /** The same with the lock of the space; looked up again when that is held, because it may have moved. */
  private async lockedHeld(holder: BucketHolder, id: string): Promise<Held> {
    const { bucket } = await this.held(holder, id);
    await this.spaces.lock(bucket.id);
    return this.held(holder, id);
  }

  private async presentAll(bucket: Bucket, ids: readonly string[]): Promise<BucketFile[]> {
    const nodes = await this.inBucket(bucket, ids);
    const facts = await this.rows.facts(ids);
    return nodes.map((node) => ({ ...plain(node, bucket), ...(facts.get(node.id) ?? { public: false, metadata: {} }) }));
  }

  private async present({ node, bucket }: Held): Promise<BucketFile> {
    const facts = (await this.rows.facts([node.id])).get(node.id) ?? { public: false, metadata: {} };
    return { ...plain(node, bucket), ...facts };
  }
}

function plain(node: LocatedNode, bucket: Bucket): Omit<BucketFile, 'public' | 'metadata'> {
  const { id, name, sizeBytes, mimeType, createdMs, modifiedMs } = node;
  return { id, bucket, path: node.path.slice(1), name, sizeBytes, mimeType: mimeType ?? 'application/octet-stream', createdMs, modifiedMs };
}

/** Where a file stands in its bucket. */
function pathOf({ path }: LocatedNode): string[] {
  return path.slice(1).split('/');
}

function folderOf(path: readonly string[]): string {
  return path.slice(0, -1).join('/');
}

/** A name that is one segment. */
function onlyName(name: string): string {
  if (name.includes('/')) throw new DomainError('NAME_ILLEGAL', 'A name cannot hold "/".', { reason: 'slash' });
  return name;
}

function idsOf(ids: readonly string[]): string[] {
  if (ids.length === 0 || ids.length > MOST_FILES) throw new DomainError('INVALID_ARGUMENT', `1 to ${MOST_FILES} files a call.`);
  if (!ids.every(isUuid)) throw nodeNotFound();
  return [...new Set(ids)];
}

function taken(path: readonly string[]): DomainError {
  return new DomainError('NAME_TAKEN', `"${path.join('/')}" already exists.`);
}
