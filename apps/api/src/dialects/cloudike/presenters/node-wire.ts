import { Injectable } from '@nestjs/common';

import { AccountDirectory } from '#libs/accounts';
import type { LocatedNode, NodeView } from '#libs/nodes';

import { type NodeOptions, type People, peopleIn, presentNode, presentTrashItem } from './node.presenter.js';

/** Presents nodes with the names of their people, which it looks up once for all of them. */
@Injectable()
export class NodeWire {
  constructor(private readonly directory: AccountDirectory) {}

  async node(node: LocatedNode, options: NodeOptions = {}) {
    return presentNode(node, await this.people([node]), options);
  }

  async nodes(nodes: readonly LocatedNode[], options: NodeOptions = {}) {
    const people = await this.people(nodes);
    return nodes.map((node) => presentNode(node, people, options));
  }

  async trashItems(nodes: readonly NodeView[], options: NodeOptions = {}) {
    const people = await this.people(nodes);
    return nodes.map((node) => presentTrashItem(node, people, options));
  }

  /** Owners and authors of `nodes`. */
  async people(nodes: readonly NodeView[]): Promise<People> {
    return this.directory.find(peopleIn(nodes));
  }
}
