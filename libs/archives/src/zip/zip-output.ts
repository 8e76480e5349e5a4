import { Readable } from 'node:stream';

/**
 * Size of the writes that small pieces are gathered into. Not more: slabs of 1 MiB live long enough to reach the old generation, where
 * 40 to 60 MiB of dead ones pile up before they are collected (measured with 500,000 entries); these die young.
 */
const SLAB_BYTES = 256 * 1024;
const HIGH_WATER_BYTES = 1024 * 1024;
const PASS_THROUGH_BYTES = 64 * 1024;

/**
 * Turns the archive's pieces into writes: big chunks leave as they came, small pieces are copied together into writes of up to 256 KiB.
 * Knows its position in the archive and drops what lies outside [start, end).
 */
export class ZipOutput {
  private slab = Buffer.allocUnsafe(0);
  private from = 0;
  private to = 0;
  private ready: Buffer[] = [];

  /** `position` is where the next piece lies in the whole archive. */
  constructor(
    public position: number,
    private readonly start: number,
    private readonly end: number,
  ) {}

  /** True when everything up to `end` has been given. */
  get complete(): boolean {
    return this.position >= this.end;
  }

  /** Content that nobody will overwrite: kept by reference when it is big. */
  pass(bytes: Buffer): void {
    const wanted = this.clip(bytes);
    if (wanted.length < PASS_THROUGH_BYTES) return this.store(wanted);
    this.flush();
    this.ready.push(wanted);
  }

  /** Bytes in a buffer that will be used again: always copied. */
  copy(bytes: Buffer): void {
    this.store(this.clip(bytes));
  }

  /** The writes that are due; with `all` also what has not filled a write yet. */
  take(all = false): Buffer[] {
    if (all) this.flush();
    const taken = this.ready;
    if (taken.length > 0) this.ready = [];
    return taken;
  }

  private clip(bytes: Buffer): Buffer {
    const first = Math.max(0, this.start - this.position);
    const last = Math.min(bytes.length, this.end - this.position);
    this.position += bytes.length;
    if (first === 0 && last === bytes.length) return bytes;
    return bytes.subarray(Math.min(first, bytes.length), Math.max(last, 0));
  }

  private store(bytes: Buffer): void {
    let done = 0;
    while (done < bytes.length) {
      if (this.to === this.slab.length) {
        this.flush();
        this.slab = Buffer.allocUnsafe(SLAB_BYTES);
        this.from = 0;
        this.to = 0;
      }
      const copied = bytes.copy(this.slab, this.to, done);
      this.to += copied;
      done += copied;
    }
  }

  /** The rest of the slab stays in use: written parts are never written again, so handing out a view is safe. */
  private flush(): void {
    if (this.to > this.from) this.ready.push(this.slab.subarray(this.from, this.to));
    this.from = this.to;
  }
}

/**
 * A byte stream of what `chunks` yields. `close` must end whatever the generator may be waiting for: it is called the moment the stream
 * is destroyed. (Readable.from waits for the generator first, so a source that hangs would never be closed.)
 */
export function producedStream(chunks: AsyncGenerator<Buffer, void, undefined>, close: () => void): Readable {
  return new Readable({
    highWaterMark: HIGH_WATER_BYTES,
    read(): void {
      chunks.next().then(
        (next) => this.push(next.done === true ? null : next.value),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done): void {
      close();
      chunks.return().catch(() => undefined);
      done(error);
    },
  });
}
