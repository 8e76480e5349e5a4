import { DomainError } from '#libs/kernel';
import type { Spot } from '#libs/places';

import { spotOf } from './spot.js';

/** The one thing that a POST to a node asks for (contract F2 to F8). */
export type NodeAction =
  | { readonly kind: 'new_dir'; readonly name: string }
  | { readonly kind: 'new_name'; readonly name: string }
  | { readonly kind: 'starred'; readonly value: boolean }
  | { readonly kind: 'copy_to'; readonly target: Spot }
  | { readonly kind: 'move_to'; readonly target: Spot }
  | { readonly kind: 'share_copy_with'; readonly receivers: readonly string[] };

const READERS: Readonly<Record<NodeAction['kind'], (value: unknown) => NodeAction>> = {
  new_dir: (value) => ({ kind: 'new_dir', name: nameIn('new_dir', value) }),
  new_name: (value) => ({ kind: 'new_name', name: nameIn('new_name', value) }),
  starred: (value) => {
    if (typeof value !== 'boolean') throw invalid('"starred" must be true or false.');
    return { kind: 'starred', value };
  },
  copy_to: (value) => ({ kind: 'copy_to', target: spotOf(nameIn('copy_to', value)) }),
  move_to: (value) => ({ kind: 'move_to', target: spotOf(nameIn('move_to', value)) }),
  share_copy_with: (value) => {
    if (!Array.isArray(value) || value.length === 0 || !value.every((item): item is string => typeof item === 'string')) {
      throw invalid('"share_copy_with" must be a list of UUIDs.');
    }
    return { kind: 'share_copy_with', receivers: value.map((item) => item.toLowerCase()) };
  },
};

/** The action of a body that has exactly one of the known members. INVALID_ARGUMENT; NODE_NOT_FOUND for a target that no id can be. */
export function nodeActionOf(body: Readonly<Record<string, unknown>>): NodeAction {
  const [name, ...more] = Object.keys(body);
  if (name === undefined || more.length > 0 || !Object.hasOwn(READERS, name)) {
    throw invalid(`The body must have exactly one of ${Object.keys(READERS).join(', ')}.`);
  }
  return READERS[name as NodeAction['kind']](body[name]);
}

function nameIn(member: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid(`"${member}" must be a text that is not empty.`);
  return value;
}

function invalid(message: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', message);
}
