import type { SocketSession } from './socket-session.js';

/** The open websockets of this process, by account and by the feeds they read. */
export class Subscribers {
  private readonly all = new Set<SocketSession>();
  private readonly byAccount = new Map<number, Set<SocketSession>>();
  private readonly byScope = new Map<string, Set<SocketSession>>();
  private readonly arriving = new Map<number, number>();

  get size(): number {
    return this.all.size;
  }

  [Symbol.iterator](): Iterator<SocketSession> {
    return this.all.values();
  }

  /** Keeps a place for a websocket that is about to open; false when the account has `most` of them, open or about to. `arrived` gives it back. */
  expect(accountId: number, most: number): boolean {
    const arriving = this.arriving.get(accountId) ?? 0;
    if (this.ofAccount(accountId).size + arriving >= most) return false;
    this.arriving.set(accountId, arriving + 1);
    return true;
  }

  /** The websocket is open, or will not be. */
  arrived(accountId: number): void {
    const others = (this.arriving.get(accountId) ?? 0) - 1;
    if (others > 0) this.arriving.set(accountId, others);
    else this.arriving.delete(accountId);
  }

  add(session: SocketSession): void {
    this.all.add(session);
    put(this.byAccount, session.subscriber.accountId, session);
  }

  remove(session: SocketSession): void {
    this.all.delete(session);
    take(this.byAccount, session.subscriber.accountId, session);
    for (const scopeId of session.scopeIds) take(this.byScope, scopeId, session);
    session.scopeIds = [];
  }

  /** Notes which feeds the session reads from now on. */
  follow(session: SocketSession, scopeIds: readonly string[]): void {
    if (!this.all.has(session) || sameItems(session.scopeIds, scopeIds)) return;
    for (const scopeId of session.scopeIds) take(this.byScope, scopeId, session);
    for (const scopeId of scopeIds) put(this.byScope, scopeId, session);
    session.scopeIds = scopeIds;
  }

  ofAccount(accountId: number): ReadonlySet<SocketSession> {
    return this.byAccount.get(accountId) ?? new Set();
  }

  ofScope(scopeId: string): ReadonlySet<SocketSession> {
    return this.byScope.get(scopeId) ?? new Set();
  }
}

function put<K>(map: Map<K, Set<SocketSession>>, key: K, session: SocketSession): void {
  const sessions = map.get(key);
  if (sessions) sessions.add(session);
  else map.set(key, new Set([session]));
}

function take<K>(map: Map<K, Set<SocketSession>>, key: K, session: SocketSession): void {
  const sessions = map.get(key);
  sessions?.delete(session);
  if (sessions?.size === 0) map.delete(key);
}

function sameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
