import { AsyncLocalStorage } from 'node:async_hooks';

import type { AccountActor, GuestActor } from './actor.js';

/** Who calls, as far as a record tells it. */
export type Caller = Pick<AccountActor, 'accountId' | 'companyId'> & Partial<Pick<AccountActor, 'tokenId' | 'impersonatorId' | 'byPair'>>;

/** A pass that somebody holds; `companyId` is the company of whoever gave it, which sees what guests did. */
export type Holder = Pick<GuestActor, 'pass' | 'passId'> & { readonly companyId?: number | null };

/** Most ids of one kind that a call notes; a call that touches more says how many there were by its parameters. */
const MAX_SUBJECTS = 50;

/**
 * One call of a client that may change something, and what its record has to say. The first transaction of the call that writes takes the record along,
 * so that both are committed or neither; a call has one record whatever the number of its transactions.
 */
export class Call {
  private static readonly store = new AsyncLocalStorage<Call | null>();
  private state: 'waiting' | 'carried' | 'written' | 'over' = 'waiting';
  private readonly noted = new Map<string, Set<string>>();
  private unrecorded = false;
  private caller: Caller | Holder | null = null;

  /** `compose` makes the record; it is asked when a transaction is about to be committed, so that it knows what was noted until then. */
  constructor(private readonly compose: (call: Call) => string) {}

  /** Runs `work`, and everything it starts, as parts of `call`. */
  static run<T>(call: Call, work: () => T): T {
    return this.store.run(call, work);
  }

  /** Runs what is written beside the call and not by it: counters of limits, times of activity. It takes no record along. */
  static aside<T>(work: () => T): T {
    return this.store.run(null, work);
  }

  /** The surrounding call while it lasts, or null. */
  static current(): Call | null {
    const call = this.store.getStore() ?? null;
    return call?.state === 'over' ? null : call;
  }

  /** Notes what the call is about, by kind (`node`, `account`, ...) and id. Nothing happens outside of a call. */
  static note(kind: string, id: string | number | null | undefined): void {
    const call = this.current();
    if (call === null || id === null || id === undefined) return;
    let ids = call.noted.get(kind);
    if (!ids) call.noted.set(kind, (ids = new Set()));
    if (ids.size < MAX_SUBJECTS) ids.add(String(id));
  }

  /** Says who calls, where that is found out by the call itself: at a sign-in, by a link, by the token of an office server. */
  static identify(caller: Caller | Holder): void {
    const call = this.current();
    if (call) call.caller = caller;
  }

  /** Who was identified, or null. */
  get identified(): Caller | Holder | null {
    return this.caller;
  }

  /** What was noted so far. */
  get subjects(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.noted].map(([kind, ids]) => [kind, [...ids]]));
  }

  /** True when the record is committed. */
  get isRecorded(): boolean {
    return this.state === 'written';
  }

  /** True when a transaction was committed beside one that had the record and was undone. */
  get wroteUnrecorded(): boolean {
    return this.unrecorded;
  }

  /** The record, for the one transaction that will say by `settle` whether it was committed with it; null when another one has it. */
  take(): string | null {
    if (this.state !== 'waiting') return null;
    const record = this.compose(this);
    this.state = 'carried';
    return record;
  }

  /** What became of the record that was taken: committed, or undone, so that the next transaction may take it. */
  settle(committed: boolean): void {
    if (this.state === 'carried') this.state = committed ? 'written' : 'waiting';
  }

  /** A transaction that changed something was committed while another one had the record. */
  wroteBeside(): void {
    if (this.state === 'carried') this.unrecorded = true;
  }

  /** The call is answered: what still runs from it is no part of it any more. */
  end(): void {
    this.state = 'over';
  }
}
