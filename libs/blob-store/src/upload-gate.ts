import type { StoredBlob } from './blob-store.js';

export interface UploadSlot {
  /** Most bytes this upload may bring. */
  readonly maxBytes: number;
  /**
   * Where to put the bytes; the key of the URL when absent. A gate that hands out a fresh key per attempt can never see a late second
   * writer replace bytes that were confirmed meanwhile. A gate that does not must keep `confirm` out while a writer is inside.
   */
  readonly storeKey?: string;
}

/** Says whether bytes sent to a signed whole-object URL may come in, and learns what became of them. DI token. */
export abstract class UploadGate {
  /** Before the first byte. `announcedBytes` is null when the length is unknown. Throws UPLOAD_NOT_FOUND, UPLOAD_CLOSED, QUOTA_EXCEEDED, TOO_LARGE ... */
  abstract open(key: string, announcedBytes: number | null): Promise<UploadSlot>;

  /** The bytes are durable under `storeKey`. What it throws is what the sender is told; the gate also decides what becomes of the object then. */
  abstract stored(key: string, blob: StoredBlob, storeKey: string): Promise<void>;

  /** Nothing was kept (refused, aborted, store failed), or `stored` threw. */
  abstract failed(key: string, storeKey: string): Promise<void>;
}
