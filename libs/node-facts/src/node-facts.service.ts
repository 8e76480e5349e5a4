import { Injectable } from '@nestjs/common';

import type { Actor } from '#libs/kernel';
import { type NodeView, viewerOf } from '#libs/nodes';
import { formatOf, PreviewLinks, type Thumbnail, THUMBNAILS } from '#libs/previews';

import { type Asked, type FactsRow, NodeFactsRepository } from './repositories/node-facts.repository.js';

/** What was made from a file's content. URLs are absolute and need no header. */
export interface Extradata {
  readonly state: 'new' | 'processing' | 'ready' | 'error';
  /** URLs by size, all of them or none. */
  readonly thumbnails: Readonly<Record<Thumbnail, string>> | null;
  readonly pdf: string | null;
  readonly metainfo: Readonly<Record<string, string | number>> | null;
}

/** What a viewer sees of a node that does not stand in its row. */
export interface FactsOfNode {
  /** The link that the viewer made. */
  readonly publicHash: string | null;
  /** By which others are let into the share; for its owner, and for everybody while it lets in anyone. */
  readonly sharedHash: string | null;
  readonly companyPublished: boolean;
  readonly extradata: Extradata | null;
}

/** The facts beside the rows of nodes. */
@Injectable()
export class NodeFacts {
  constructor(
    private readonly facts: NodeFactsRepository,
    private readonly links: PreviewLinks,
  ) {}

  /** Facts by id; a node without any is absent. One statement, and none when no node is shared, linked or of a type that has previews. */
  async of(actor: Actor, nodes: readonly NodeView[]): Promise<Map<string, FactsOfNode>> {
    const asked = new Map<string, Asked>();
    const owned = new Set<string>();
    for (const node of nodes) {
      const format = node.kind === 'file' ? formatOf(node.mimeType, node.sizeBytes) : null;
      if (format === null && !node.shared && !node.linked) continue;
      asked.set(node.id, { id: node.id, versionNo: node.versionNo, format });
      if (actor.kind === 'account' && node.ownerId === actor.accountId) owned.add(node.id);
    }
    if (asked.size === 0 || actor.kind === 'system') return new Map();
    const found = new Map<string, FactsOfNode>();
    for (const row of await this.facts.find(viewerOf(actor), [...asked.values()])) {
      found.set(row.id, {
        publicHash: row.public_hash,
        sharedHash: owned.has(row.id) || (actor.kind === 'account' && row.open_hash) ? row.shared_hash : null,
        companyPublished: row.company_published,
        extradata: this.extradata(actor, row, asked.get(row.id)!.versionNo),
      });
    }
    return found;
  }

  private extradata(actor: Actor, { id, state, kinds, metainfo }: FactsRow, versionNo: number): Extradata | null {
    if (state === null || state === 'unsupported' || kinds === null) return null;
    if (kinds.length === 0) return { state, thumbnails: null, pdf: null, metainfo };
    const url = this.links.of(actor, id, versionNo);
    return {
      state: 'ready',
      thumbnails: THUMBNAILS.every((size) => kinds.includes(size)) ? { small: url('small'), middle: url('middle'), preview: url('preview') } : null,
      pdf: kinds.includes('pdf') ? url('pdf') : null,
      metainfo,
    };
  }
}
