import type { RemovedItems } from '#libs/own-tree';

import type { Schema } from '../../../http/dialect/dialect.js';
import { KONEKSI_ERRORS } from './errors.js';

const TEXT = { type: 'string' };

export const REMOVED: Schema = {
  type: 'object',
  properties: {
    deleted_count: { type: 'integer' },
    deleted_ids: { type: 'array', items: TEXT },
    failed: { type: 'array', items: { type: 'object', properties: { id: TEXT, reason: TEXT } } },
  },
};

/** What became of each of many that were to be deleted. */
export function presentRemoved({ removed, failed }: RemovedItems, what: 'directory' | 'file') {
  return {
    deleted_count: removed.length,
    deleted_ids: removed,
    failed: failed.map(({ id, code }) => {
      const known = code === 'FORBIDDEN' ? 'not allowed' : KONEKSI_ERRORS[code].code;
      return { id, reason: code === 'NODE_NOT_FOUND' ? `${what} not found` : known };
    }),
  };
}
