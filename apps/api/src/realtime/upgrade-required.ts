import type { RawHandler } from '../http/server.js';
import { isSubscribePath } from './subscribe-request.js';

/** Answers 426 to plain requests for the path of the websockets. */
export const upgradeRequired: RawHandler = (request, response) => {
  if (!isSubscribePath(request.url ?? '')) return false;
  const body = 'This is a websocket.\n';
  response.writeHead(426, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
  return true;
};
