import type { Dialect, WireError } from '../../../http/dialect/dialect.js';
import { QUICKSYNC_ERRORS } from './errors.js';

/** Quick Sync upload and session API (docs/contracts/quicksync.md); on a host name of its own also without prefix, and below /v1. */
export const QUICKSYNC: Dialect = {
  name: 'quicksync',
  title: 'Quick Sync API',
  description:
    'Sessions of people who are known by a wallet, and a bucket of files for each. A session is made with a developer key and a proof of a wallet; all ' +
    'else needs the token that making or joining it gives. Events come through the hub at hubs/session.',
  prefix: '/quicksync/v1',
  hostPrefix: '/v1',
  rootPaths: [],
  errors: QUICKSYNC_ERRORS,
  errorBody: ({ status, code }: WireError, detail) => ({ type: 'about:blank', title: titleOf(code), status, detail, code }),
  errorType: 'application/problem+json',
  headers: { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' },
  preflight: {
    'Access-Control-Allow-Headers':
      'Authorization, X-API-KEY, Content-Type, partNumber, key, uploadId, Range, X-Requested-With, X-SignalR-User-Agent',
    'Access-Control-Max-Age': '86400',
  },
  securitySchemes: {
    session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The token of a session.' },
    wallet: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The token that proves a wallet.' },
    developer: { type: 'apiKey', in: 'header', name: 'X-API-KEY', description: 'Together with the token of a wallet.' },
  },
  errorSchema: {
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'code'],
    properties: {
      ...{ type: { type: 'string' }, title: { type: 'string' }, status: { type: 'integer' }, detail: { type: 'string' } },
      code: { type: 'string', example: 'upload_not_found' },
    },
  },
};

/** `upload_closed` -> `Upload closed`. */
function titleOf(code: string): string {
  return code.charAt(0).toUpperCase() + code.slice(1).replaceAll('_', ' ');
}
