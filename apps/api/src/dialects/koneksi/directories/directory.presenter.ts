import type { SizedFolder } from '#libs/own-tree';

import type { Schema } from '../../../http/dialect/dialect.js';

const TEXT = { type: 'string' };

export const DIRECTORY: Schema = {
  type: 'object',
  properties: { id: TEXT, name: TEXT, size: { type: 'integer' }, created_at: TEXT, updated_at: TEXT },
};

/** A directory (contract 1.2). `name`: the one that was asked for, where it got a number. Times in two spellings, because clients of two ages read them. */
export function presentDirectory({ node, bytes }: SizedFolder, name?: string) {
  return { id: node.id, name: name ?? (node.parentId === null ? 'root' : node.name), size: bytes, ...presentTimes(node) };
}

/** When something was made and changed. */
export function presentTimes({ createdMs, modifiedMs }: { readonly createdMs: number; readonly modifiedMs: number }) {
  const [created, updated] = [new Date(createdMs).toISOString(), new Date(modifiedMs).toISOString()];
  return { created_at: created, updated_at: updated, createdAt: created, updatedAt: updated };
}
