import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { Injectable } from '@nestjs/common';

/** Something that has websockets of its own. */
export interface SocketTaker {
  /** Answers the upgrade, or refuses it; never throws. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends all websockets; resolves when they are closed. */
  close(): Promise<void>;
}

/** A taker that knows its own requests: false, at once, for any other. */
export type UpgradeEntry = Omit<SocketTaker, 'take'> & {
  take(...parts: Parameters<SocketTaker['take']>): boolean;
};

/** Who takes websockets besides the one at /subscribe; a dialect adds its own when its module starts. */
@Injectable()
export class UpgradeEntries {
  private readonly entries: UpgradeEntry[] = [];

  add(entry: UpgradeEntry): void {
    this.entries.push(entry);
  }

  /** True when somebody has taken the upgrade. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    return this.entries.some((entry) => entry.take(request, socket, head));
  }

  async close(): Promise<void> {
    await Promise.all(this.entries.map((entry) => entry.close()));
  }
}
