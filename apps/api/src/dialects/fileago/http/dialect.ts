import type { Dialect } from '../../../http/dialect/dialect.js';
import { FILEAGO_ERRORS } from './errors.js';

/** FileAgo v1.0 (docs/contracts/fileago.md): its document knows bare paths only, so it has them on every host, and under /fileago too. */
export const FILEAGO: Dialect = {
  name: 'fileago',
  title: 'FileAgo API',
  description:
    'Files and folders by UUID. NODEUUID is a UUID or one of home, incoming, trash, favorites, shared_with_you, public_shares, private_shares, ' +
    'alone or with the UUID of a group behind a colon. Bodies are JSON, whatever their content type.',
  prefix: '/fileago',
  rootPaths: ['auth', 'api/nodes', 'api/groups', 'upload', 'resources/auth', 'images/default_avatar.png'],
  errors: FILEAGO_ERRORS,
  errorBody: ({ code }, msg) => ({ status: 'error', msg, code }),
  headers: { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store, no-cache, must-revalidate' },
  preflight: { 'Access-Control-Allow-Headers': 'Authorization, Content-Type, Range, X-Requested-With', 'Access-Control-Max-Age': '86400' },
  securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
  errorSchema: {
    type: 'object',
    required: ['status', 'msg', 'code'],
    properties: { status: { type: 'string', enum: ['error'] }, msg: { type: 'string' }, code: { type: 'string', example: 'node_not_found' } },
  },
};
