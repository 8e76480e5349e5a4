/** What a store answers: `slot` names the slot that was taken, or is null when the bucket is full for another `retryAfterMs`. */
export type SlotTaking = { readonly slot: string } | { readonly slot: null; readonly retryAfterMs: number };

/** Keeps at most `limit` slots a bucket, each for `windowMs` after it was taken (a sliding window, so no edge lets double through). */
export interface SlotStore {
  take(bucket: string, limit: number, windowMs: number, nowMs: number): Promise<SlotTaking>;
  release(bucket: string, slot: string): Promise<void>;
  clear(bucket: string): Promise<void>;
}
