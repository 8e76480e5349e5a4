import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { BrowseService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import {
  type LocatedNode,
  type NodeKind,
  nodeNotFound,
  NodeResolver,
  type NodeView,
  type PlacedNode,
  QuotaLedger,
  SpaceService,
  SubtreeRepository,
} from '#libs/nodes';

export type ItemKind = NodeKind;

/** A folder and the bytes of all files below it. */
export interface SizedFolder {
  readonly node: NodeView;
  readonly bytes: number;
}

export interface FolderContent {
  readonly folder: SizedFolder;
  /** Direct children, by name. */
  readonly folders: readonly SizedFolder[];
  readonly files: readonly NodeView[];
}

/** What an account has in place. `limitBytes` null = not limited. */
export interface TreeUsage {
  readonly limitBytes: number | null;
  /** Without trash, former versions, and what others have shared with it. */
  readonly bytes: number;
  readonly files: number;
  /** Without the root. */
  readonly folders: number;
}

const WHOLE = { dirsOnly: false, includeRemoved: false, orderBy: 'name', descending: false, offset: 0, limit: 0 } as const;

/**
 * Reads the tree of an account by ids: its home, with the shared folders that stand in it. What stands nowhere in it is not there, also what the
 * account could read by other ways (a file that somebody has opened to it, its buckets). `null` names the root.
 */
@Injectable()
export class OwnTreeReader {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly spaces: SpaceService,
    private readonly browse: BrowseService,
    private readonly subtrees: SubtreeRepository,
    private readonly quotas: QuotaLedger,
    private readonly access: AccessService,
  ) {}

  /** NODE_NOT_FOUND, also for what is of the other kind. */
  async get(actor: AccountActor, kind: ItemKind, id: string | null): Promise<LocatedNode> {
    const [found] = await this.find(actor, kind, [id]);
    if (!found) throw nodeNotFound();
    return found.node;
  }

  /** The nodes of a kind by their ids, in order; null for what `get` refuses. */
  async find(actor: AccountActor, kind: ItemKind, ids: readonly (string | null)[]): Promise<(PlacedNode | null)[]> {
    const { rootId } = await this.spaces.homeOf(actor.accountId);
    const placed = await this.resolver.findMany(
      actor,
      ids.map((id) => ({ id: id ?? rootId })),
    );
    const own = placed.map((each) => (each && each.chain[0] === rootId && each.node.kind === kind ? each : null));
    const allowed = await this.access.allowed(
      actor,
      'node.read',
      own.flatMap((each) => (each ? [each.node] : [])),
    );
    return own.map((each) => (each && allowed.has(each.node.id) ? each : null));
  }

  /** A folder with what it holds, up to one page (50,000). The number of statements does not depend on how much that is. NODE_NOT_FOUND. */
  async content(actor: AccountActor, id: string | null): Promise<FolderContent> {
    const node = await this.get(actor, 'folder', id);
    const { entries } = await this.browse.list(actor, { node: { id: node.id }, ...WHOLE });
    const folders = entries.filter((entry) => entry.kind === 'folder');
    const [folder, ...below] = await this.sized([node, ...folders]);
    return { folder: folder!, folders: below, files: entries.filter((entry) => entry.kind === 'file') };
  }

  /** Folders with their sizes, in one statement. */
  async sized<N extends NodeView>(folders: readonly N[]): Promise<(SizedFolder & { readonly node: N })[]> {
    const bytes = await this.subtrees.bytesBelow(
      folders.map((node) => node.id),
      true,
    );
    return folders.map((node) => ({ node, bytes: bytes.get(node.id) ?? 0 }));
  }

  /** What the account has, and may have. */
  async usage(actor: AccountActor): Promise<TreeUsage> {
    const { rootId } = await this.spaces.homeOf(actor.accountId);
    const [{ limitBytes }, { files, folders, bytes }] = [await this.quotas.get(actor.accountId), await this.subtrees.figures(rootId)];
    return { limitBytes, bytes, files, folders };
  }
}
