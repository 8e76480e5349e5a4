import type { EventView, StorageFigures } from '#libs/events';

/** How what is pushed is written: a dialect gives it, so that websockets know none. */
export abstract class EventWire {
  /** Events of one viewer, in their order. */
  abstract events(events: readonly EventView[]): Promise<object[]>;
  /** The first word to a client that keeps cursors. */
  abstract subscribed(accountId: number, cursor: string, nowMs: number): object;
  abstract storage(accountId: number, figures: StorageFigures, nowMs: number): object;
  abstract announcement(accountId: number, noticeId: string, nowMs: number): object;
  /** The event that tries a websocket out. */
  abstract check(accountId: number, nowMs: number): object;
}
