import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { BlobStore } from '#libs/blob-store';
import { type Actor, Clock, DomainError, randomHex, SYSTEM_ACTOR } from '#libs/kernel';
import {
  ChangeLog,
  childPath,
  DerivedObjectRepository,
  ListingRepository,
  type LocatedNode,
  nameKey,
  NodeResolver,
  SubtreeRepository,
} from '#libs/nodes';
import { HandlesTask, type TaskContext, type TaskHandler, TaskService } from '#libs/tasks';

const PAGE = 1_000;
const KEPT_MS = 24 * 3_600_000;

interface FullListingInput {
  readonly nodeId: string;
}

/** What a finished full listing is: an object in the store, noted as derived object, that expires after a day. */
export interface FullListingResult {
  readonly storeKey: string;
  readonly sizeBytes: number;
  readonly nodes: number;
}

/** Starts full listings of an account's home. */
@Injectable()
export class FullListingService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly tasks: TaskService,
  ) {}

  /** Starts the task `files.full-listing` over the actor's whole home; its result is a FullListingResult. */
  async start(actor: Actor): Promise<{ publicId: string }> {
    const { node } = await this.resolver.get(actor, { path: [] });
    await this.access.require(actor, 'node.read', [node]);
    return this.tasks.start(actor, 'files.full-listing', { nodeId: node.id } satisfies FullListingInput);
  }
}

/**
 * Writes a tree as one nested JSON document. A node is `{folder, path, name, bytes, created, modified, version}`, for files also `checksum`
 * (MD5) and `mime_type`, for folders `content`: its children by name. Times in ms. Memory stays flat: one page of every level that is open.
 */
@HandlesTask('files.full-listing')
export class FullListingTask implements TaskHandler<FullListingInput> {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly listings: ListingRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly derived: DerivedObjectRepository,
    private readonly store: BlobStore,
    private readonly changes: ChangeLog,
    private readonly tasks: TaskService,
    private readonly clock: Clock,
  ) {}

  async run({ nodeId }: FullListingInput, context: TaskContext): Promise<FullListingResult> {
    const { node } = await this.resolver.get(SYSTEM_ACTOR, { id: nodeId });
    const { files, folders } = await this.subtrees.figuresWithMounts(node.id);
    const storeKey = derivedKey();
    await this.derived.insert({
      storeKey,
      accountId: node.ownerId,
      kind: 'listing',
      fileName: 'listing.json',
      contentType: 'application/json',
      expiresAt: new Date(this.clock.nowMs() + KEPT_MS),
    });
    let nodes = 0;
    const count = async (written: number): Promise<void> => {
      nodes += written;
      await context.throwIfCancelled();
      await context.saveProgress(Math.min(99, (nodes / (files + folders + 1)) * 100));
    };
    const { sizeBytes } = await this.store.put(storeKey, Readable.from(inChunks(this.write(node, count))), { contentType: 'application/json' });
    if (!(await this.derived.markReady(storeKey, sizeBytes))) throw new DomainError('TASK_FAILED', 'The listing expired before it was complete.');
    const facts = { owner: node.ownerId, listing_request_id: await this.tasks.publicIdOf(context.taskId), request_id: '' };
    await this.changes.recordForAccounts('metadata_full_listing', [node.ownerId], { actorId: node.ownerId, path: '', facts });
    return { storeKey, sizeBytes, nodes };
  }

  private async *write(folder: LocatedNode, count: (written: number) => Promise<void>): AsyncGenerator<string> {
    yield `${JSON.stringify(describe(folder)).slice(0, -1)},"content":[`;
    let unreported = 1;
    let first = true;
    const size = folder.childFiles + folder.childFolders;
    for (let after: { value: string; id: string } | null = null; size > 0;) {
      const { entries, isLast, last } = await this.listings.page(folder, {
        dirsOnly: false,
        includeRemoved: false,
        orderBy: 'name',
        descending: false,
        offset: 0,
        limit: PAGE,
        after,
        viewerId: null,
      });
      const page = entries.map((child): LocatedNode => ({ ...child, path: childPath(folder, child.name) }));
      for (const child of page) {
        if (!first) yield ',';
        first = false;
        if (child.kind === 'folder') yield* this.write(child, count);
        else {
          unreported += 1;
          yield JSON.stringify(describe(child));
        }
      }
      if (unreported >= PAGE) {
        await count(unreported);
        unreported = 0;
      }
      if (isLast || !last) break;
      after = { value: nameKey(last.name), id: last.id };
    }
    await count(unreported);
    yield ']}';
  }
}

function describe(node: LocatedNode): Record<string, string | number | boolean | null> {
  const common = {
    folder: node.kind === 'folder',
    path: node.path,
    name: node.name,
    bytes: node.sizeBytes,
    created: node.createdMs,
    modified: node.modifiedMs,
    version: node.versionNo,
  };
  return node.kind === 'folder' ? common : { ...common, checksum: node.md5, mime_type: node.mimeType };
}

/** Few large chunks instead of one for every node. */
async function* inChunks(pieces: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let parts: string[] = [];
  let length = 0;
  for await (const piece of pieces) {
    parts.push(piece);
    length += piece.length;
    if (length < 65_536) continue;
    yield Buffer.from(parts.join(''));
    parts = [];
    length = 0;
  }
  yield Buffer.from(parts.join(''));
}

function derivedKey(): string {
  const name = randomHex(16);
  return `derived/${name.slice(0, 2)}/${name}`;
}
