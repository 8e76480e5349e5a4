import { randomUrlSafe } from '#libs/kernel';
import type { RoomMember } from '#libs/rooms';

import { QueryParams } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { CurrentMember } from '../auth/holders.js';
import { QuicksyncController } from '../http/controller.js';

const TEXT = { type: 'string' };

@QuicksyncController('hubs')
export class HubController {
  /** Any process serves the websocket, so the ids that this gives out mean nothing to us. */
  @Route('POST', 'hubs/session/negotiate', {
    auth: 'session',
    audit: 'none',
    summary: 'How the hub of sessions can be reached: by websocket, with the JSON protocol of SignalR',
    query: { negotiateVersion: { type: 'integer' }, access_token: TEXT },
    answer: {
      type: 'object',
      properties: {
        ...{ negotiateVersion: { type: 'integer' }, connectionId: TEXT, connectionToken: TEXT },
        availableTransports: {
          type: 'array',
          items: { type: 'object', properties: { transport: TEXT, transferFormats: { type: 'array', items: TEXT } } },
        },
      },
    },
  })
  negotiate(@CurrentMember() _member: RoomMember, @QueryParams() query: URLSearchParams) {
    const version = query.get('negotiateVersion') === '1' ? 1 : 0;
    return {
      negotiateVersion: version,
      connectionId: randomUrlSafe(16),
      ...(version === 1 ? { connectionToken: randomUrlSafe(16) } : {}),
      availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text'] }],
    };
  }
}
