import { DomainError } from '#libs/kernel';
import type { JsonFacts } from '#libs/nodes';

/** An event as one person sees it: paths begin at the root of the viewer's home. */
export interface EventView {
  /** The same for everybody who sees the event. */
  readonly id: string;
  /** A reader that continues from here has seen this event and all before it. */
  readonly cursor: string;
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

/** A place in the order of all events: transaction, and number in it. Both are kept as text, because a transaction id may pass 2^53. */
export interface Position {
  readonly xid: string;
  readonly seq: string;
}

const CURSOR = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,18})$/;
const MAX_XID = 2n ** 64n - 1n;
const MAX_SEQ = 2n ** 63n - 1n;

/** A position as clients keep it. */
export function cursorOf({ xid, seq }: Position): string {
  return `${xid}-${seq}`;
}

/** The position behind a cursor. INVALID_ARGUMENT for anything that is none. */
export function positionOf(cursor: string): Position {
  const [, xid, seq] = CURSOR.exec(cursor) ?? [];
  if (xid !== undefined && seq !== undefined && BigInt(xid) <= MAX_XID && BigInt(seq) <= MAX_SEQ) return { xid, seq };
  throw new DomainError('INVALID_ARGUMENT', 'The cursor is not valid: use the cursor of an event.');
}

/** Below 0 when `a` comes before `b`. */
export function comparePositions(a: Position, b: Position): number {
  return compareNumbers(a.xid, b.xid) || compareNumbers(a.seq, b.seq);
}

function compareNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
