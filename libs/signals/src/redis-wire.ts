import { Redis, type RedisOptions } from 'ioredis';

import type { SignalWire, WireListener } from './signal-wire.js';

const OPTIONS: RedisOptions = {
  connectTimeout: 2_000,
  commandTimeout: 2_000,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  lazyConnect: true,
  retryStrategy: (times) => Math.min(times * 200, 2_000),
};

/** Redis pub/sub on connections of its own, one for each direction. */
export class RedisWire implements SignalWire {
  /** Pub/sub knows no databases: the number keeps apart those who share a server. */
  private readonly channel: string;
  private sender: Redis | undefined;
  private connecting: Promise<void> | undefined;
  private receiver: Redis | undefined;

  constructor(
    private readonly url: string,
    private readonly onError: (error: unknown) => void,
  ) {
    this.channel = `stowage:signals:${new URL(url).pathname.slice(1) || '0'}`;
  }

  async send(frames: readonly string[]): Promise<void> {
    const sender = (this.sender ??= this.open());
    await (this.connecting ??= sender.connect().catch(this.onError));
    await Promise.all(frames.map((frame) => sender.publish(this.channel, frame)));
  }

  async listen(listener: WireListener): Promise<void> {
    const receiver = (this.receiver = this.open());
    receiver.on('message', (_channel, frame) => listener.frame(frame));
    const ready = new Promise<void>((resolve) => {
      receiver.on('ready', () => {
        receiver.subscribe(this.channel).then(
          () => {
            listener.connected();
            resolve();
          },
          (error: unknown) => {
            this.onError(error);
            receiver.disconnect(true);
          },
        );
      });
    });
    await receiver.connect().then(
      () => ready,
      (error: unknown) => this.onError(error),
    );
  }

  close(): Promise<void> {
    this.sender?.disconnect();
    this.receiver?.disconnect();
    return Promise.resolve();
  }

  private open(): Redis {
    const redis = new Redis(this.url, OPTIONS);
    redis.on('error', this.onError);
    return redis;
  }
}
