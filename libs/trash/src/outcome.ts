import type { DomainError } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';

/** What became of one of several nodes that were named in one call. */
export type TrashOutcome<Ref> = { readonly ref: Ref; readonly node: LocatedNode } | { readonly ref: Ref; readonly error: DomainError };
