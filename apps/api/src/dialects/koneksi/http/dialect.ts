import type { Dialect } from '../../../http/dialect/dialect.js';
import { KONEKSI_ERRORS, messageOf } from './errors.js';

/** Koneksi client API (docs/contracts/koneksi.md), under both prefixes that its clients use; what anybody may read also without them. */
export const KONEKSI: Dialect = {
  name: 'koneksi',
  title: 'Koneksi client API',
  description:
    'Directories and files by id; `root` names the root directory. Names need not be unique: one that is taken gets a number. Every JSON answer has ' +
    'status, message, data and meta.',
  prefix: '/clients/v1',
  rootPaths: [],
  aliases: {
    '/api/clients/v1': '',
    '/public/files': '/public/files',
    '/api/public/files': '/public/files',
    '/check-health': '/check-health',
    '/api/check-health': '/check-health',
  },
  errors: KONEKSI_ERRORS,
  errorBody: (wire, message, error) => ({ status: 'error', message: messageOf(wire, message, error), data: null, meta: null }),
  headers: { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-cache, no-store, must-revalidate' },
  preflight: {
    'Access-Control-Allow-Headers': 'Content-Type, Authorization, Client-Id, Client-Secret, X-Requested-With, Passphrase, Password',
    'Access-Control-Max-Age': '86400',
  },
  securitySchemes: {
    client: { type: 'apiKey', in: 'header', name: 'Client-ID' },
    clientSecret: { type: 'apiKey', in: 'header', name: 'Client-Secret' },
  },
  pairedSchemes: { client: ['clientSecret'] },
  errorSchema: {
    type: 'object',
    required: ['status', 'message', 'data', 'meta'],
    properties: {
      status: { type: 'string', enum: ['error'] },
      message: { type: 'string', example: 'directory not found' },
      data: { type: 'object', nullable: true },
      meta: { type: 'object', nullable: true },
    },
  },
};
