import type { Dialect } from '../../../http/dialect/dialect.js';
import { MEDIASAUR_ERRORS } from './errors.js';

/** Mediasaur File Management (docs/contracts/mediasaur.md). The version in the path may be left out; on a host name of its own so may all of the prefix. */
export const MEDIASAUR: Dialect = {
  name: 'mediasaur',
  title: 'Mediasaur File Management API',
  description:
    'Buckets and the files in them, by API key. Uploads come by POST /upload with a key, or with a token for one path. Public files are open to ' +
    'everybody at their url; private ones with the key, or with a signed url for a time.',
  prefix: '/mediasaur/v1',
  hostPrefix: '/v1',
  rootPaths: [],
  aliases: { '/mediasaur': '' },
  errors: MEDIASAUR_ERRORS,
  errorBody: ({ code }, message) => ({ error: { code, message } }),
  headers: { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' },
  preflight: { 'Access-Control-Allow-Headers': 'Authorization, Content-Type, Range, X-Requested-With', 'Access-Control-Max-Age': '86400' },
  securitySchemes: {
    key: { type: 'http', scheme: 'bearer', description: 'An API key (sk_...).' },
    upload: { type: 'http', scheme: 'bearer', description: 'An API key (sk_...), or a token for one upload (token_...).' },
  },
  errorSchema: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: { code: { type: 'string', example: 'not_found' }, message: { type: 'string' } },
      },
    },
  },
};
