import { DomainError } from '#libs/kernel';
import type { JsonFacts } from '#libs/nodes';

/** A place in the order of events: transaction, and number in it. Both are kept as text, because a transaction id may pass 2^53. */
export interface Position {
  readonly xid: string;
  readonly seq: string;
}

/** An event as one person sees it: paths begin at the root of the viewer's home. */
export interface EventView {
  /** The same for everybody who sees the event. */
  readonly id: string;
  readonly position: Position;
  /** A reader who continues from here has been given this event and all before it; null in lists, which are not read on from. */
  readonly cursor: string | null;
  readonly type: string;
  readonly atMs: number;
  readonly viewerId: number;
  readonly actorId: number | null;
  readonly actorName: string;
  readonly nodeId: string | null;
  readonly path: string;
  /** Moves and renames: the path before. */
  readonly oldPath: string | null;
  readonly ownerName: string;
  readonly facts: JsonFacts;
}

/**
 * What a reader has been given: all that was committed in the PostgreSQL snapshot `base`, and, while a large `window` (a later snapshot) is read
 * in pages, of the window what comes up to `after`. Transactions end in another order than they begin in; with the snapshot itself in hand
 * nothing is missed, and nothing has to wait for a transaction that takes long.
 */
export interface Bookmark {
  readonly base: string;
  readonly page: { readonly window: string; readonly after: Position } | null;
}

const MAX_CURSOR_LENGTH = 16_384;
const XID = '[1-9]\\d{0,18}';
const SNAPSHOT = `${XID}:${XID}:(?:${XID}(?:,${XID})*)?`;
const CURSOR = new RegExp(`^(${SNAPSHOT})(?:;(${SNAPSHOT});(${XID})-(0|${XID}))?$`);

/** A bookmark as clients keep it. */
export function cursorOf({ base, page }: Bookmark): string {
  return page === null ? base : `${base};${page.window};${page.after.xid}-${page.after.seq}`;
}

/** The bookmark behind a cursor. INVALID_ARGUMENT for anything that is none. */
export function bookmarkOf(cursor: string): Bookmark {
  const [, base, window, xid, seq] = (cursor.length <= MAX_CURSOR_LENGTH && CURSOR.exec(cursor)) || [];
  if (base !== undefined && isSnapshot(base)) {
    if (window === undefined) return { base, page: null };
    if (isSnapshot(window) && BigInt(seq!) < 2n ** 63n) return { base, page: { window, after: { xid: xid!, seq: seq! } } };
  }
  throw new DomainError('INVALID_ARGUMENT', 'The cursor is not valid: use the cursor of an event.');
}

/** `xmin:xmax:` and the transactions between that were running, in order. */
function isSnapshot(text: string): boolean {
  const [xmin = '', xmax = '', running = ''] = text.split(':');
  const numbers = [xmin, ...(running === '' ? [] : running.split(','))].map(BigInt);
  const ascending = numbers.every((number, index) => index < 2 || number > numbers[index - 1]!);
  return (
    BigInt(xmax) < 2n ** 63n &&
    ascending &&
    (numbers[1] ?? numbers[0]!) >= numbers[0]! &&
    numbers.every((number, i) => (i === 0 ? number <= BigInt(xmax) : number < BigInt(xmax)))
  );
}

/** Below 0 when `a` comes before `b`. */
export function comparePositions(a: Position, b: Position): number {
  return compareNumbers(a.xid, b.xid) || compareNumbers(a.seq, b.seq);
}

function compareNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
