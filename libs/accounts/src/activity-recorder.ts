import { Injectable, type OnModuleDestroy } from '@nestjs/common';

import { Call, type ClientKind, Clock } from '#libs/kernel';
import { Logger } from '#libs/observability';

import { AccountRepository } from './repositories/account.repository.js';
import { type AccountDay, AccountDayRepository } from './repositories/account-day.repository.js';
import { TokenRepository } from './repositories/token.repository.js';

const GRAIN_MS = 60_000;
const FLUSH_AFTER_MS = 1_000;
const MAX_KNOWN = 20_000;
const DAY_MS = 24 * 3_600_000;

/** Notes who was active, to the minute, in one statement a second for everybody: no request waits for it. */
@Injectable()
export class ActivityRecorder implements OnModuleDestroy {
  private accounts = new Set<number>();
  private tokens = new Set<string>();
  private readonly knownSinceMs = new Map<number, number>();
  private days = new Map<string, AccountDay>();
  /** Who was noted for `today` already, by which kind of program. */
  private readonly knownToday = new Set<string>();
  private today = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly accountRepository: AccountRepository,
    private readonly tokenRepository: TokenRepository,
    private readonly dayRepository: AccountDayRepository,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Notes that the account was active now, by the token when there is one. Returns at once. */
  record(accountId: number, tokenId: string | null, tokenUsedAt: Date | null): void {
    const nowMs = this.clock.nowMs();
    const tokenIsFresh = tokenUsedAt === null || nowMs - tokenUsedAt.getTime() < GRAIN_MS;
    const accountIsFresh = nowMs - (this.knownSinceMs.get(accountId) ?? -Infinity) < GRAIN_MS;
    if (tokenIsFresh && accountIsFresh) return;
    if (tokenId !== null && !tokenIsFresh) this.tokens.add(tokenId);
    if (!accountIsFresh) {
      if (this.knownSinceMs.size >= MAX_KNOWN) this.knownSinceMs.clear();
      this.knownSinceMs.set(accountId, nowMs);
      this.accounts.add(accountId);
    }
    this.flushSoon();
  }

  /**
   * Notes that the account was active on this day (UTC), by this kind of program. Returns at once; the first note of a day is written within a second. A process that
   * is killed before loses it, until the next request of the account.
   */
  recordDay(accountId: number, client: ClientKind): void {
    const nowMs = this.clock.nowMs();
    const today = Math.floor(nowMs / DAY_MS);
    if (today !== this.today || this.knownToday.size >= MAX_KNOWN) this.knownToday.clear();
    this.today = today;
    const key = `${accountId} ${client}`;
    if (this.knownToday.has(key)) return;
    this.knownToday.add(key);
    this.days.set(`${today} ${key}`, { day: new Date(nowMs).toISOString().slice(0, 10), accountId, client });
    this.flushSoon();
  }

  private flushSoon(): void {
    this.timer ??= setTimeout(() => void Call.aside(() => this.flush()), FLUSH_AFTER_MS).unref();
  }

  /** Writes what was noted. A failure loses a minute of activity and nothing else, so it is only logged; days are noted again by the next request. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const [accounts, tokens] = [[...this.accounts], [...this.tokens]];
    this.accounts = new Set();
    this.tokens = new Set();
    const days = [...this.days.values()];
    this.days = new Map();
    const now = this.clock.now();
    const before = new Date(now.getTime() - GRAIN_MS);
    try {
      if (accounts.length > 0) await this.accountRepository.touch(accounts, now, before);
      if (tokens.length > 0) await this.tokenRepository.touch(tokens, now, before);
      if (days.length > 0) await this.dayRepository.add(days);
    } catch (error) {
      this.knownToday.clear();
      this.logger.warn('The time of last activity could not be written', { error });
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.flush();
  }
}
