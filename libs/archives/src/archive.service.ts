import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { AccessService, Policies } from '#libs/access';
import { type AccountActor, type Client, Clock, DomainError, type GuestActor, isDomainError, randomHex } from '#libs/kernel';
import {
  ChangeLog,
  changeOf,
  type LocatedNode,
  MountRepository,
  nodeNotFound,
  type NodeRef,
  NodeRepository,
  NodeResolver,
  type PlacedNode,
  SpaceService,
  viewerOf,
} from '#libs/nodes';
import { TaskService } from '#libs/tasks';

import { ArchiveContents } from './archive-contents.js';
import { archiveFileName, archiveLabel, type ArchiveRoot, rootsOf } from './archive-selection.js';
import { ArchiveStreamRepository, type GrantedStream, type StreamProgress } from './repositories/archive-stream.repository.js';
import { watchStream } from './stream-watch.js';
import { ZipLayout } from './zip/zip-layout.js';
import { streamZip } from './zip/zip-stream.js';

const KEPT_MS = 24 * 3_600_000;
const HASH_BYTES = 32;
const HASH = /^[0-9a-f]{64}$/;
const LISTED = 1_000;
const REMOVED_AT_ONCE = 100;
/** Most chosen nodes of one archive that feeds tell of. */
const MAX_NEWS = 100;

/** Who can have archives: accounts, and whoever holds a pass that opens something for download. */
export type ArchiveActor = AccountActor | GuestActor;

/** Chosen nodes that may be given out now. */
export interface OpenRoots {
  readonly nodes: readonly LocatedNode[];
  /** Shared folders of others that may be entered through mounts. */
  readonly mountedIds: readonly string[];
}

/** What is to be archived. */
export interface ArchiveSelection {
  readonly nodes: readonly NodeRef[];
  /** The folder that was open: names in the archive begin below it. */
  readonly parentFolder?: NodeRef;
  /** Names are made safe for Windows. */
  readonly windows: boolean;
}

/** The input of the task `archives.build`. */
export interface ArchiveBuildInput {
  readonly roots: readonly ArchiveRoot[];
  readonly windows: boolean;
  readonly fileName: string;
}

export interface CreatedStream {
  /** Whoever has it gets the archive until it expires. */
  readonly privateHash: string;
  readonly fileName: string;
  readonly expiresAt: Date;
}

/** An archive that is ready to be given out. Nothing has been read from the store yet. */
export interface ArchiveDownload {
  readonly fileName: string;
  readonly totalBytes: number;
  /** Without quotes; equal only for archives that are equal byte for byte. */
  readonly etag: string;
  /** False when another archive was given out under this link before: a part of this one would not fit to it. */
  readonly mayResume: boolean;
  /** The bytes, or a range of them. Destroy it to stop reading; progress and outcome are noted by themselves. */
  stream(range?: { readonly start: number; readonly endInclusive: number }): Promise<Readable>;
}

/**
 * Archives of files and folders: built by a task, or streamed under a private link. Permission is asked when they are ordered and when bytes are
 * given out. They hold what their orderer sees, through his mounts, under his names; what he may not download behind a mount is left out.
 */
@Injectable()
export class ArchiveService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly nodes: NodeRepository,
    private readonly mounts: MountRepository,
    private readonly spaces: SpaceService,
    private readonly changes: ChangeLog,
    private readonly access: AccessService,
    private readonly policies: Policies,
    private readonly contents: ArchiveContents,
    private readonly streams: ArchiveStreamRepository,
    private readonly tasks: TaskService,
    private readonly clock: Clock,
  ) {}

  /** Starts the task `archives.build`, whose result is an ArchiveBuildResult. NODE_NOT_FOUND, FORBIDDEN, NOT_A_FOLDER, INVALID_ARGUMENT. */
  async startBuild(actor: ArchiveActor, selection: ArchiveSelection): Promise<{ publicId: string }> {
    const { roots, fileName } = await this.select(actor, selection);
    return this.tasks.start(actor, 'archives.build', { roots, windows: selection.windows, fileName } satisfies ArchiveBuildInput);
  }

  /** Makes a private link to an archive of what the nodes hold when it is fetched. Valid for a day. Refuses as `startBuild`. */
  async createStream(actor: ArchiveActor, selection: ArchiveSelection): Promise<CreatedStream> {
    const { roots, fileName, label } = await this.select(actor, selection);
    const privateHash = randomHex(HASH_BYTES);
    const createdAt = this.clock.now();
    const expiresAt = new Date(createdAt.getTime() + KEPT_MS);
    const guest = actor.kind === 'guest' ? actor : null;
    const accountId = actor.kind === 'guest' ? actor.issuerId : actor.accountId;
    const tokenId = actor.kind === 'guest' ? null : actor.tokenId;
    await this.streams.insert({ privateHash, accountId, guest, tokenId, roots, windows: selection.windows, label, fileName, createdAt, expiresAt });
    await this.streams.removeExpired(createdAt, REMOVED_AT_ONCE);
    return { privateHash, fileName, expiresAt };
  }

  /**
   * The archive behind a private link. NODE_NOT_FOUND for a link that is unknown or has expired, whose token has ended, whose owner may not sign
   * in or not download the nodes any more, or when one of them is gone. `client` is where it is fetched from: FORBIDDEN where its owner's account may not
   * be used, or have files.
   */
  async openStream(privateHash: string, client?: Client): Promise<ArchiveDownload> {
    const granted = HASH.test(privateHash) ? await this.streams.findGranted(privateHash, client, this.clock.now()) : null;
    if (!granted) throw linkNotFound();
    await this.policies.require(granted.owner, 'enter');
    const open = await this.requireRoots(granted.owner, granted.roots);
    const layout = new ZipLayout();
    await this.contents.collect(granted.roots, open.mountedIds, granted.windows, layout);
    const etag = createHash('sha256').update(layout.fingerprint()).digest('base64url').slice(0, 32);
    return {
      fileName: granted.fileName,
      totalBytes: layout.totalBytes,
      etag,
      mayResume: granted.etag === null || granted.etag === etag,
      stream: (range) => this.stream(granted, open, layout, etag, range),
    };
  }

  /** How far one stream of the actor is. NODE_NOT_FOUND. */
  async progress(actor: AccountActor, privateHash: string): Promise<StreamProgress> {
    const found = await this.streams.findProgress(actor.accountId, privateHash, this.clock.now());
    if (!found) throw linkNotFound();
    return found;
  }

  /** The actor's newest 1,000 streams in the order in which they were made. */
  async listProgress(actor: AccountActor): Promise<StreamProgress[]> {
    return this.streams.listProgress(actor.accountId, this.clock.now(), LISTED);
  }

  /** What the roots open now. NODE_NOT_FOUND or FORBIDDEN unless all of them are in place and the actor may download them. */
  async requireRoots(actor: ArchiveActor, roots: readonly ArchiveRoot[]): Promise<OpenRoots> {
    const placed = await this.resolver.findMany(
      actor,
      roots.map(({ id }) => ({ id })),
    );
    const nodes = nodesOf(placed);
    await this.access.require(actor, 'node.download', nodes);
    return { nodes, mountedIds: await this.mountedIds(actor, nodes) };
  }

  /** Tells the feeds above the roots that they are being downloaded. */
  async recordDownload(actor: ArchiveActor, nodes: readonly LocatedNode[]): Promise<void> {
    await this.changes.record(
      nodes.slice(0, MAX_NEWS).map((node) => ({
        type: changeOf('download', node),
        actorId: viewerOf(actor),
        // Wherever the actor has it: those who are told know it in its own place.
        node: { ...node, mount: null },
        folderId: node.kind === 'folder' ? null : node.parentId,
        name: node.name,
      })),
    );
  }

  /** The shared folders of others that the actor may download, when something of his own may hold mounts of them. */
  private async mountedIds(actor: ArchiveActor, nodes: readonly LocatedNode[]): Promise<string[]> {
    if (actor.kind === 'guest' || !nodes.some((node) => node.kind === 'folder' && node.ownerId === actor.accountId)) return [];
    const { spaceId } = await this.spaces.homeOf(actor.accountId);
    const targets = (await this.mounts.bySpace(spaceId)).map((mount) => mount.targetId);
    return [...(await this.access.allowed(actor, 'node.download', await this.nodes.byIds(targets)))];
  }

  private async select(
    actor: ArchiveActor,
    { nodes, parentFolder }: ArchiveSelection,
  ): Promise<{ roots: ArchiveRoot[]; fileName: string; label: string }> {
    if (nodes.length === 0) throw new DomainError('INVALID_ARGUMENT', 'There is nothing to archive.');
    const found = await this.resolver.findMany(actor, parentFolder ? [...nodes, parentFolder] : nodes);
    const located = nodesOf(found);
    const chosen = located.slice(0, nodes.length);
    await this.access.require(actor, 'node.download', chosen);
    const parent = (parentFolder && found.at(-1)) ?? null;
    if (parent) {
      await this.access.require(actor, 'node.read', [parent.node]);
      if (parent.node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', 'The parent folder is not a folder.');
    }
    return {
      roots: rootsOf(found.slice(0, nodes.length) as PlacedNode[], parent),
      fileName: archiveFileName(chosen, parent && parent.node, this.clock),
      label: archiveLabel(chosen),
    };
  }

  private async stream(
    granted: GrantedStream,
    { nodes }: OpenRoots,
    layout: ZipLayout,
    etag: string,
    range?: { readonly start: number; readonly endInclusive: number },
  ): Promise<Readable> {
    const { privateHash, owner } = granted;
    const totalBytes = layout.totalBytes;
    const start = range?.start ?? 0;
    await this.streams.begin(privateHash, etag, (start / totalBytes) * 100, this.clock.now());
    // Parts and repeats of one link are one download.
    if (granted.etag === null) await this.recordDownload(owner, nodes);
    let sent = 0;
    const body = streamZip(layout, this.contents.open, {
      range: range && { ...range },
      readAhead: this.contents.readAhead,
      onProgress: (bytes) => void (sent += bytes),
    });
    watchStream(body, {
      percent: () => Math.min(100, ((start + sent) / totalBytes) * 100),
      reachesEnd: (range?.endInclusive ?? totalBytes - 1) === totalBytes - 1,
      save: async (status, percent) => {
        const mayGoOn = await this.streams.saveProgress(privateHash, status, percent, this.clock.now());
        // In one's own home nobody can take the right away.
        const isOwn = owner.kind === 'account' && nodes.every((node) => node.ownerId === owner.accountId);
        return mayGoOn && (status !== 'in_progress' || isOwn || (await this.isOpen(granted)));
      },
    });
    return body;
  }

  private async isOpen({ owner, roots }: GrantedStream): Promise<boolean> {
    try {
      await this.requireRoots(owner, roots);
      return true;
    } catch (error) {
      if (isDomainError(error, 'NODE_NOT_FOUND') || isDomainError(error, 'FORBIDDEN')) return false;
      throw error;
    }
  }
}

function nodesOf(placed: readonly (PlacedNode | null)[]): PlacedNode['node'][] {
  return placed.map((each) => {
    if (!each) throw nodeNotFound('source');
    return each.node;
  });
}

function linkNotFound(): DomainError {
  return new DomainError('NODE_NOT_FOUND', 'The link to this archive is unknown or has expired.');
}
