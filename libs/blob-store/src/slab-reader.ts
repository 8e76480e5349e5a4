import type { Readable } from 'node:stream';
import { DomainError } from '#libs/kernel';

export interface Slab {
  readonly memory: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  length: number;
}

export interface SlabReaderOptions {
  readonly slabBytes: number;
  /** Most slabs in use at once: the memory bound of one body. */
  readonly slabs: number;
  /** A body up to this size is handed over whole by `small()`. */
  readonly smallBytes: number;
  readonly maxBytes?: number;
  readonly sizeBytes?: number;
}

/** Slabs of bodies that are done, by their size: shared memory that is thrown away stays for long, because the collector does not feel its weight. */
const spare = new Map<number, Slab[]>();
const MOST_SPARE_BYTES = 64 * 1024 * 1024;
let spareBytes = 0;

/**
 * Takes a stream in as shared-memory slabs that a disk write (or a request) and the hashing threads can read at the same time, and stops
 * reading while all slabs are in use. A body over `maxBytes` fails with TOO_LARGE, one of another length than `sizeBytes` with
 * SIZE_MISMATCH, one that ends early with the error of its source. Never destroys the source: its owner may still have to answer on it.
 */
export class SlabReader {
  private readonly pending: Buffer[] = [];
  private readonly ready: Slab[] = [];
  private readonly free: Slab[] = [];
  private allocated = 0;
  private current: Slab | null = null;
  private received = 0;
  private spilling = false;
  private ended = false;
  private failure: Error | null = null;
  private wake: (() => void) | null = null;

  constructor(
    private readonly source: Readable,
    private readonly options: SlabReaderOptions,
  ) {
    if (source.readableEnded || source.destroyed) {
      this.fail(source.errored ?? new Error('The body was already read or its stream is closed'));
      return;
    }
    source.on('data', this.onData);
    source.on('end', this.onEnd);
    source.on('error', this.onError);
    source.on('close', this.onClose);
    // Attaching a data listener does not restart a stream that someone paused before.
    source.resume();
  }

  get receivedBytes(): number {
    return this.received;
  }

  /** The whole body when it ends within `smallBytes`, else null: read it by `next()`. */
  async small(): Promise<Buffer | null> {
    while (!this.spilling) {
      this.throwIfFailed();
      if (this.ended) return Buffer.concat(this.pending.splice(0));
      await this.changed();
    }
    this.throwIfFailed();
    return null;
  }

  /** The next slab (only the last may be short), or null at the end. Give it back by `release`. */
  async next(): Promise<Slab | null> {
    for (;;) {
      this.throwIfFailed();
      const slab = this.ready.shift();
      if (slab !== undefined) return slab;
      if (this.ended && this.pending.length === 0) return null;
      await this.changed();
    }
  }

  release(slab: Slab): void {
    slab.length = 0;
    this.free.push(slab);
    this.fill();
  }

  /** Stops listening; call when done with the body, whatever came of it. */
  detach(): void {
    const { source } = this;
    source.off('data', this.onData);
    source.off('end', this.onEnd);
    source.off('close', this.onClose);
    source.off('error', this.onError);
    // A source that breaks after we lost interest must not end the process.
    if (!source.readableEnded) source.on('error', ignore);
    if (!this.ended && !source.destroyed) source.pause();
    // what is free is read by nobody any more
    for (const slab of this.free.splice(0)) keep(slab, this.options.slabBytes);
  }

  private readonly onData = (chunk: Buffer | string): void => {
    if (this.failure !== null) return;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.received += bytes.length;
    const { maxBytes, sizeBytes, smallBytes } = this.options;
    if (maxBytes !== undefined && this.received > maxBytes) {
      return this.fail(new DomainError('TOO_LARGE', `The body is larger than the ${maxBytes} bytes allowed`, { maxBytes }));
    }
    if (sizeBytes !== undefined && this.received > sizeBytes) return this.failSize(sizeBytes);
    this.pending.push(bytes);
    if (!this.spilling && this.received > smallBytes) this.spilling = true;
    if (this.spilling) this.fill();
  };

  private readonly onEnd = (): void => {
    const { sizeBytes } = this.options;
    if (sizeBytes !== undefined && this.received !== sizeBytes) return this.failSize(sizeBytes);
    this.ended = true;
    if (this.spilling) this.fill();
    this.notify();
  };

  private readonly onError = (error: Error): void => this.fail(error);

  private readonly onClose = (): void => {
    if (!this.ended) this.fail(new Error('The body ended before it was complete'));
  };

  private failSize(sizeBytes: number): void {
    this.fail(new DomainError('SIZE_MISMATCH', `The body is not the ${sizeBytes} bytes announced`, { sizeBytes, receivedBytes: this.received }));
  }

  /** Makes `next` throw `error`: what the reader of the slabs met while working on them. */
  fail(error: Error): void {
    this.failure ??= error;
    this.pending.length = 0;
    if (!this.source.destroyed) this.source.pause();
    this.notify();
  }

  private fill(): void {
    if (!this.spilling || this.failure !== null) return;
    while (this.pending.length > 0) {
      const slab = (this.current ??= this.take());
      if (slab === null) {
        this.source.pause();
        return;
      }
      const chunk = this.pending[0]!;
      const room = this.options.slabBytes - slab.length;
      const part = chunk.length <= room ? chunk : chunk.subarray(0, room);
      slab.bytes.set(part, slab.length);
      slab.length += part.length;
      if (part.length === chunk.length) this.pending.shift();
      else this.pending[0] = chunk.subarray(part.length);
      if (slab.length === this.options.slabBytes) this.hand(slab);
    }
    if (!this.ended) {
      if (this.source.isPaused()) this.source.resume();
    } else if (this.current !== null) this.hand(this.current);
  }

  private hand(slab: Slab): void {
    this.current = null;
    this.ready.push(slab);
    this.notify();
  }

  private take(): Slab | null {
    const slab = this.free.pop();
    if (slab !== undefined) return slab;
    if (this.allocated >= this.options.slabs) return null;
    this.allocated++;
    const kept = spare.get(this.options.slabBytes)?.pop();
    if (kept !== undefined) {
      spareBytes -= this.options.slabBytes;
      return kept;
    }
    const memory = new SharedArrayBuffer(this.options.slabBytes);
    return { memory, bytes: new Uint8Array(memory), length: 0 };
  }

  private throwIfFailed(): void {
    if (this.failure !== null) throw this.failure;
  }

  private changed(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  private notify(): void {
    const wake = this.wake;
    this.wake = null;
    wake?.();
  }
}

function keep(slab: Slab, slabBytes: number): void {
  if (spareBytes + slabBytes > MOST_SPARE_BYTES) return;
  spareBytes += slabBytes;
  const kept = spare.get(slabBytes);
  if (kept) kept.push(slab);
  else spare.set(slabBytes, [slab]);
}

function ignore(): void {
  return undefined;
}
