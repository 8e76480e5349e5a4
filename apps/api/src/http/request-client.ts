import type { IncomingMessage } from 'node:http';

import { type Client, clientKindOf } from '#libs/kernel';

import { clientAddress } from './client-address.js';

/** Where a request comes from, and with what. Dialects only pass it on: what follows from it is decided with the policies of accounts. */
export function clientOf(request: IncomingMessage): Client {
  const { 'mountbit-user-agent': own, 'user-agent': agent } = request.headers;
  return { kind: clientKindOf(own?.toString(), agent), address: clientAddress(request) };
}
