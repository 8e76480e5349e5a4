import { Injectable } from '@nestjs/common';

import { Signals } from '#libs/signals';

/** Channel of libs/signals: the websockets of the account in the payload are to be tried out. */
export const SOCKET_CHECK_CHANNEL = 'socket-check';

/** Tries out the websockets of an account, wherever they are connected. */
@Injectable()
export class SocketCheck {
  constructor(private readonly signals: Signals) {}

  /** Has a test event pushed to each of them. */
  start(accountId: number): void {
    this.signals.publish(SOCKET_CHECK_CHANNEL, String(accountId));
  }
}
