import type { Readable, Transform } from 'node:stream';

/** Something that the bytes of a file go through on their way to the store: it looks at them, or stores others in their place. For one file only. */
export interface IntakeTap {
  /** The intake pipes the bytes into it. An error of it ends the upload with this error. */
  readonly stream: Transform;
  /** Told in the transaction that makes the file visible, by the name of its upload; what it throws undoes the file. */
  made(tempName: string): Promise<void>;
}

/** A body behind taps. */
export interface TappedBody {
  readonly body: Readable;
  /** Ends the taps, and leaves the body before them as it is: not destroyed, and flowing into nothing. */
  close(): void;
}

/** The body as it comes out of the taps. An error of it, or of a tap, is an error of what comes out. */
export function tapped(source: Readable, taps: readonly IntakeTap[]): TappedBody {
  let body = source;
  for (const { stream } of taps) {
    const before = body;
    const cutOff = (): void => {
      if (!before.readableEnded) stream.destroy(before.errored ?? new Error('the body was cut off'));
    };
    // Whoever reads the end of the chain hears of it.
    stream.on('error', () => undefined);
    // It may have broken off before anybody looked at it.
    if (before.destroyed) cutOff();
    else before.once('error', (error) => stream.destroy(error)).once('close', cutOff);
    body = before.pipe(stream);
  }
  const close = (): void => {
    // Before the taps are gone: a pipe that finds its end closed would pause the source, which somebody may be draining by then.
    if (taps.length > 0) source.unpipe();
    for (const { stream } of taps) stream.destroy();
  };
  return { body, close };
}
