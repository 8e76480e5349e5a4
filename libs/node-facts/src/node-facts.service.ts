import { Injectable } from '@nestjs/common';

import type { Actor } from '#libs/kernel';
import { type NodeView, viewerOf } from '#libs/nodes';
import { formatOf, PreviewLinks, type Thumbnail, THUMBNAILS } from '#libs/previews';

import { type AskedFile, type FactRow, NodeFactsRepository } from './repositories/node-facts.repository.js';

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
    const files: AskedFile[] = [];
    const sharedIds: string[] = [];
    const linkedIds: string[] = [];
    const asked = new Map<string, NodeView>();
    for (const node of nodes) {
      const format = node.kind === 'file' ? formatOf(node.mimeType, node.sizeBytes) : null;
      if (format !== null) files.push({ id: node.id, versionNo: node.versionNo, format });
      if (node.shared) sharedIds.push(node.id);
      if (node.linked) linkedIds.push(node.id);
      if (format !== null || node.shared || node.linked) asked.set(node.id, node);
    }
    const found = new Map<string, FactsOfNode>();
    if (asked.size === 0 || actor.kind === 'system') return found;
    for (const row of await this.facts.find(viewerOf(actor), { files, sharedIds, linkedIds })) {
      const node = asked.get(row.id)!;
      const facts = found.get(row.id) ?? NOTHING;
      if (row.state !== null) found.set(row.id, { ...facts, extradata: this.extradata(actor, row, node.versionNo) });
      else if (row.open !== null) {
        const told = actor.kind === 'account' && (node.ownerId === actor.accountId || row.open);
        found.set(row.id, { ...facts, sharedHash: told ? row.hash : null, companyPublished: row.published === true });
      } else found.set(row.id, { ...facts, publicHash: row.hash });
    }
    return found;
  }

  private extradata(actor: Actor, { id, state, kinds, metainfo }: FactRow, versionNo: number): Extradata | null {
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

const NOTHING: FactsOfNode = { publicHash: null, sharedHash: null, companyPublished: false, extradata: null };
