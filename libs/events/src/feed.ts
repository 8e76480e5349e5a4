import { Injectable } from '@nestjs/common';

import { type JsonFacts, SpaceService } from '#libs/nodes';

import { type Bookmark, bookmarkOf, comparePositions, cursorOf, type EventView, type Position } from './event.js';
import { type EventFilter, FeedRepository, type FeedRow, type ScopeRow } from './repositories/feed.repository.js';

export interface Reader {
  readonly accountId: number;
  readonly cursor: string;
}

/** What a reader gets. */
export interface Delivery {
  readonly events: EventView[];
  /** Where to continue. */
  readonly cursor: string;
  /** There is more to read at once. */
  readonly more: boolean;
  /** The feeds that were read: whoever is told that one of them has changed looks again. */
  readonly scopeIds: readonly string[];
}

export interface EventPage extends EventFilter {
  readonly skip: number;
  /** At most 100. */
  readonly limit: number;
}

const MAX_LIMIT = 100;
/** Clocks of several processes, and the order of transactions, may differ by this much. */
const TIME_MARGIN_MS = 10_000;

/**
 * What happened, as one account may know it: all of its own space, and of shared folders what has happened since it joined. Who may read is asked at
 * every read. Each event comes once, whatever number of feeds has it. Statement counts do not grow with readers, feeds or events.
 */
@Injectable()
export class Feed {
  constructor(
    private readonly feeds: FeedRepository,
    private readonly spaces: SpaceService,
  ) {}

  /** Makes sure that the account has a home: who begins to read before would not be told of its first events. */
  async prepare(accountId: number): Promise<void> {
    await this.spaces.homeOf(accountId);
  }

  /**
   * What each reader has not been given yet, at most `limit` events of each feed, those of one transaction in their order. An event is there as
   * soon as it is committed, also when an older transaction ends later. One statement. INVALID_ARGUMENT for a cursor that is none.
   */
  async afterMany(readers: readonly Reader[], limit: number): Promise<Delivery[]> {
    const bookmarks = readers.map(({ accountId, cursor }) => ({ accountId, ...bookmarkOf(cursor) }));
    const rows = await this.feeds.after(bookmarks, limit);
    const byTurn = readers.map((): ScopeRow[] => []);
    for (const row of rows) byTurn[row.turn]!.push(row);
    return readers.map(({ accountId }, turn) => deliver(accountId, bookmarks[turn]!, byTurn[turn]!, limit));
  }

  /** The same for one reader. */
  async after(accountId: number, cursor: string, limit: number): Promise<Delivery> {
    const [delivery] = await this.afterMany([{ accountId, cursor }], limit);
    return delivery!;
  }

  /** The cursor of a reader who wants what happens from now on. */
  async now(): Promise<string> {
    return cursorOf({ base: await this.feeds.snapshot(), page: null });
  }

  /** A cursor before everything that has happened since `sinceMs`; some older events may follow it. */
  async since(accountId: number, sinceMs: number): Promise<string> {
    return cursorOf({ base: await this.feeds.snapshotBefore(accountId, sinceMs - TIME_MARGIN_MS), page: null });
  }

  /** A page of events, newest first. One statement. */
  async list(accountId: number, { skip, limit, ...filter }: EventPage): Promise<EventView[]> {
    if (limit === 0 || filter.types?.length === 0) return [];
    const rows = await this.feeds.page(accountId, filter, { skip, limit: Math.min(limit, MAX_LIMIT) });
    // within a page by time; transactions that ran side by side may have written in another order
    return merge(accountId, rows).sort((a, b) => b.atMs - a.atMs);
  }

  /** Events before a position (null: from the newest on), newest first, for reading all of them in pages. */
  async before(accountId: number, filter: EventFilter, position: Position | null, limit: number): Promise<EventView[]> {
    const before = position === null ? {} : { before: position };
    return merge(accountId, await this.feeds.page(accountId, filter, { skip: 0, limit, ...before }));
  }

  /** How many events the filter finds. One statement. */
  async count(accountId: number, filter: EventFilter): Promise<number> {
    return filter.types?.length === 0 ? 0 : this.feeds.count(accountId, filter);
  }
}

function deliver(accountId: number, from: Bookmark, scopes: readonly ScopeRow[], limit: number): Delivery {
  const perScope = new Map<string, FeedRow[]>();
  for (const { scopeId, event } of scopes) {
    const rows = perScope.get(scopeId) ?? [];
    if (event) rows.push(event);
    perScope.set(scopeId, rows);
  }
  // a feed that was cut says nothing about what comes behind its last row, so the others end there too
  const cuts = [...perScope.values()].filter((rows) => rows.length === limit).map((rows) => rows[limit - 1]!);
  const end = cuts.reduce<Position | null>((first, row) => (first === null || comparePositions(row, first) < 0 ? row : first), null);
  const rows = [...perScope.values()].flat().filter((row) => end === null || comparePositions(row, end) <= 0);
  rows.sort(comparePositions);
  const window = scopes[0]?.window;
  const events = merge(accountId, rows).map((event) =>
    window === undefined ? event : { ...event, cursor: cursorOf({ base: from.base, page: { window, after: event.position } }) },
  );
  const whole = window === undefined ? from : { base: window, page: null };
  const cursor = end === null ? cursorOf(whole) : events.at(-1)!.cursor!;
  return { events, cursor, more: end !== null, scopeIds: [...perScope.keys()] };
}

/** One event of all rows at the same position; rows of one event stand together. */
function merge(accountId: number, rows: readonly FeedRow[]): EventView[] {
  const events: EventView[] = [];
  for (let start = 0, end = 0; start < rows.length; start = end) {
    while (end < rows.length && comparePositions(rows[end]!, rows[start]!) === 0) end++;
    events.push(oneOf(accountId, rows.slice(start, end)));
  }
  return events;
}

function oneOf(accountId: number, rows: readonly FeedRow[]): EventView {
  const half = (which: string) => rows.find((row) => row.facts.half === which);
  const [arrived, left] = [half('arrived'), half('left')];
  const [whole] = rows
    .filter((row) => row.facts.half === undefined)
    .sort((a, b) => seenPath(b.prefix, b.path).length - seenPath(a.prefix, a.path).length);
  if (whole) return view(accountId, whole, whole.type, whole.oldPath === null ? null : seenPath(whole.prefix, whole.oldPath));
  // the viewer knows both places, from different shared folders: to him it is a move
  if (arrived && left)
    return view(accountId, arrived, typeof arrived.facts.whole === 'string' ? arrived.facts.whole : arrived.type, seenPath(left.prefix, left.path));
  return view(accountId, rows[0]!, rows[0]!.type, null);
}

function view(accountId: number, row: FeedRow, type: string, oldPath: string | null): EventView {
  return {
    id: row.eventId,
    position: { xid: row.xid, seq: row.seq },
    cursor: null,
    type,
    atMs: row.atMs,
    viewerId: accountId,
    actorId: row.actorId,
    actorName: row.actorName ?? '',
    nodeId: row.nodeId,
    path: seenPath(row.prefix, row.path),
    oldPath,
    ownerName: row.ownerName ?? '',
    facts: ownFacts(accountId, row, oldPath !== null),
  };
}

/** A link is known to the one who made it; where something came from or went to, only to those who see that place. */
function ownFacts(accountId: number, row: FeedRow, moved: boolean): JsonFacts {
  const { half, whole: _whole, ...facts } = row.facts;
  const hidden = new Set<string>();
  if (row.actorId !== accountId) hidden.add('public_hash');
  if (half !== undefined && !moved) hidden.add('old').add('oldname');
  return hidden.size === 0 ? facts : Object.fromEntries(Object.entries(facts).filter(([key]) => !hidden.has(key)));
}

function seenPath(prefix: string, path: string): string {
  if (prefix === '') return path;
  return path === '/' ? prefix : prefix + path;
}
