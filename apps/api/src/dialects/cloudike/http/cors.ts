import type { ServerResponse } from 'node:http';

const HEADERS: readonly (readonly [string, string])[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Credentials', 'true'],
  ['Access-Control-Allow-Methods', 'GET,POST,PUT,OPTIONS'],
  [
    'Access-Control-Allow-Headers',
    'DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Mountbit-Auth,Web-frontend,' +
      'Mountbit-User-Agent,Mountbit-Request-Id,Authorization,If-None-Match',
  ],
  ['Access-Control-Expose-Headers', 'ETag'],
];

/** Sets the CORS headers that every answer of the dialect carries (contract 1.1). */
export function setCors(response: ServerResponse): void {
  for (const [name, value] of HEADERS) response.setHeader(name, value);
}
