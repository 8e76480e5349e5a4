import { Injectable } from '@nestjs/common';

import { AccountDirectory } from '#libs/accounts';
import type { Actor } from '#libs/kernel';
import { NodeFacts } from '#libs/node-facts';
import { type LocatedNode, type NodeView, viewerOf } from '#libs/nodes';

import { type NodeOptions, type People, peopleIn, presentNode, presentTrashItem, type Surroundings } from './node.presenter.js';

/** Presents nodes to a viewer, with the names of their people and their links and previews, which it looks up once for all of them. */
@Injectable()
export class NodeWire {
  constructor(
    private readonly directory: AccountDirectory,
    private readonly facts: NodeFacts,
  ) {}

  async node(viewer: Actor | null, node: LocatedNode, options: NodeOptions = {}) {
    return presentNode(node, await this.around(viewer, [node]), options);
  }

  async nodes(viewer: Actor | null, nodes: readonly LocatedNode[], options: NodeOptions = {}) {
    const around = await this.around(viewer, nodes);
    return nodes.map((node) => presentNode(node, around, options));
  }

  async trashItems(viewer: Actor | null, nodes: readonly NodeView[], options: NodeOptions = {}) {
    const around = await this.around(viewer, nodes);
    return nodes.map((node) => presentTrashItem(node, around, options));
  }

  /** What answers tell about `nodes` beside their rows. Null is whoever made them, without a token: nothing is told of links and previews. */
  async around(viewer: Actor | null, nodes: readonly NodeView[]): Promise<Surroundings> {
    const [people, facts] = await Promise.all([this.people(nodes), viewer === null ? new Map<string, never>() : this.facts.of(viewer, nodes)]);
    return { viewerId: viewer === null ? (nodes[0]?.authorId ?? null) : viewerOf(viewer), people, facts };
  }

  /** Owners and authors of `nodes`. */
  async people(nodes: readonly NodeView[]): Promise<People> {
    return this.directory.find(peopleIn(nodes));
  }
}
