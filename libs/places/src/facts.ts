import type { LocatedNode, NodeView } from '#libs/nodes';

import type { PlaceName } from './place.js';

/** Whose a node is. */
export interface NodeOwner {
  readonly kind: 'account' | 'group';
  readonly publicId: string;
  readonly name: string;
}

/** What a caller is told of one spot. `node` is null for places that are lists. */
export interface SpotFacts {
  readonly place: PlaceName | null;
  readonly node: LocatedNode | null;
  readonly owner: NodeOwner;
}

/** How often a node is shared, published and commented. */
export interface EntryCounts {
  readonly grants: number;
  readonly links: number;
  readonly comments: number;
}

/** One line of a listing. */
export interface Entry extends EntryCounts {
  readonly node: NodeView;
}

/** One step of the way from a place to a node: the place first, the node itself last. */
export type Step = { readonly place: PlaceName } | { readonly id: string; readonly name: string };
