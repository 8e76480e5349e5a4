/** Carries frames between processes. A frame that is lost is lost: nothing but a wake-up ever depends on it. */
export interface SignalWire {
  /** Hands frames, each of at most MAX_FRAME_BYTES, to every listening process. Rejects when that is not possible now. */
  send(frames: readonly string[]): Promise<void>;
  /** Starts to listen and goes on through failures. Resolves when it listens, or when the first attempt has failed. */
  listen(listener: WireListener): Promise<void>;
  close(): Promise<void>;
}

export interface WireListener {
  frame(text: string): void;
  /** It listens (again): what was sent before now may have been missed. */
  connected(): void;
}

/** PostgreSQL takes less than 8,000 bytes in a notification. */
export const MAX_FRAME_BYTES = 7_000;
