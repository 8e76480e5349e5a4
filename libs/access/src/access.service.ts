import { Injectable } from '@nestjs/common';

import type { Actor } from '#libs/kernel';
import { nodeNotFound, type NodeView } from '#libs/nodes';

/** What can be done to a node. */
export type NodeAction = 'node.read' | 'node.download' | 'node.write' | 'node.create' | 'node.delete' | 'node.restore' | 'node.share';

/** The one place that decides who may do what to a node. */
@Injectable()
export class AccessService {
  /**
   * Passes when the actor may do `action` to every one of the nodes; takes a set so that bulk calls need no loop. The owner of a space may
   * do everything in it, and so may the house itself. For anyone else a node does not exist: NODE_NOT_FOUND.
   */
  async require(actor: Actor, action: NodeAction, nodes: readonly NodeView[]): Promise<void> {
    const allowed = await this.allowed(actor, action, nodes);
    if (nodes.some((node) => !allowed.has(node.id))) throw nodeNotFound();
  }

  /** Ids of those among the nodes to which the actor may do `action`. */
  async allowed(actor: Actor, _action: NodeAction, nodes: readonly NodeView[]): Promise<Set<string>> {
    const reachable = actor.kind === 'system' ? nodes : nodes.filter((node) => actor.kind === 'account' && node.ownerId === actor.accountId);
    return Promise.resolve(new Set(reachable.map((node) => node.id)));
  }
}
