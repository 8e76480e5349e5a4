import { PassThrough, Transform, type TransformCallback } from 'node:stream';

import type { IntakeTap } from '#libs/files';

import { type ContentId, contentIdOf } from './content-id.js';

const BUFFER_BYTES = 1024 * 1024;

/** Names a content by its bytes while they go by. The flow ends when the name is known, so it is there once the bytes are stored. */
export class ContentTap implements IntakeTap {
  readonly stream: Transform;
  private known: ContentId | null = null;

  /** `keep` writes the id of the upload's blob in the surrounding transaction. */
  constructor(private readonly keep: (tempName: string, contentId: ContentId) => Promise<void>) {
    const copy = new PassThrough({ highWaterMark: BUFFER_BYTES });
    // Who reads the copy hears of it; the bytes go on without their name.
    copy.on('error', () => undefined);
    const computed = contentIdOf(copy).then(
      (contentId) => (this.known = contentId),
      () => copy.destroy(),
    );
    this.stream = new Transform({
      highWaterMark: BUFFER_BYTES,
      transform: (chunk: Buffer, _encoding, done: TransformCallback) => {
        if (copy.destroyed) done(null, chunk);
        else if (copy.write(chunk)) done(null, chunk);
        else waitForRoom(copy, () => done(null, chunk));
      },
      flush: (done: TransformCallback) => {
        copy.end();
        void computed.then(() => done());
      },
      destroy: (error, done) => {
        copy.destroy();
        done(error);
      },
    });
  }

  /** The id, once all bytes have gone by; null before, and when it could not be computed: then it is when somebody asks for it. */
  get contentId(): ContentId | null {
    return this.known;
  }

  async made(tempName: string): Promise<void> {
    if (this.known) await this.keep(tempName, this.known);
  }
}

function waitForRoom(stream: PassThrough, go: () => void): void {
  const settle = (): void => {
    stream.off('drain', settle).off('close', settle);
    go();
  };
  stream.once('drain', settle).once('close', settle);
}
