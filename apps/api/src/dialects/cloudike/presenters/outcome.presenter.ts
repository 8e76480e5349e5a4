import type { DomainError } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';

import { wireError } from '../http/errors.js';
import { presentNode, type Surroundings } from './node.presenter.js';

/** What became of one of several paths. */
export type Outcome = { readonly node: LocatedNode } | { readonly error: DomainError };

/** The nodes of the outcomes that have one. */
export function succeeded(outcomes: readonly Outcome[]): LocatedNode[] {
  return outcomes.flatMap((outcome) => ('node' in outcome ? [outcome.node] : []));
}

/** The node of a call for one path. Throws what stood in its way. */
export function theOnly(outcomes: readonly Outcome[]): LocatedNode {
  const [outcome] = outcomes;
  if (!outcome || 'error' in outcome) throw outcome?.error ?? new Error('a call for one path has no outcome');
  return outcome.node;
}

/**
 * The envelope of the multi/ calls: counts, and for each of `paths` its metadata or its error number. Errors of single paths never change the status of
 * the call.
 */
export function presentOutcomes(paths: readonly (readonly string[])[], outcomes: readonly Outcome[], around: Surroundings) {
  const nodes = outcomes.map((outcome, index) =>
    'node' in outcome
      ? { ...presentNode(outcome.node, around), error_code: null }
      : { path: `/${paths[index]!.join('/')}`, error_code: wireError(outcome.error.code).status },
  );
  const success = succeeded(outcomes).length;
  return { success, failed: nodes.length - success, nodes };
}
