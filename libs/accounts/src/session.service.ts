import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Call, clientKindOf, Clock, DomainError, forbiddenBy, policyRefusal, randomHex, sha256 } from '#libs/kernel';

import { Authenticator } from './authenticator.service.js';
import { formatLogin, isPair } from './login-name.js';
import { AccountRepository, type LoginRecord } from './repositories/account.repository.js';
import { type TokenRecord, TokenRepository } from './repositories/token.repository.js';
import { shownText } from './texts.js';
import { TokenKeys } from './token-keys.service.js';

/** A temporary token ends 31 days after it was made. */
export const TOKEN_LIFE_MS = 31 * 24 * 60 * 60 * 1_000;

/** Where a login comes from. */
export interface ClientInfo {
  readonly ip: string;
  readonly userAgent: string;
}

/** What the person wants to have. */
export interface TokenWish {
  /** A permanent token has no end. */
  readonly permanent: boolean;
  /** Empty for a permanent token: date and user agent are taken. */
  readonly deviceDescription?: string | undefined;
  /** Life of a temporary token in ms, when it is to end before the usual 31 days. */
  readonly lifeMs?: number | undefined;
  /** True: with a second secret for URLs (TokenKeys). */
  readonly withKey?: boolean | undefined;
  /** True: nothing for who has yet to set up the second factor that their company demands: the client has no way to do that. */
  readonly cannotEnrol?: boolean | undefined;
  /** The address that it comes from, for what is limited by address. */
  readonly ip?: string | undefined;
}

/** A new token with what a client wants to know at login. Times are ms since the epoch. */
export interface Session {
  /** The only time that the value is shown: 32 hex characters. */
  readonly token: string;
  readonly tokenId: string;
  /** The key for URLs, 64 hex characters, when it was wished for. */
  readonly urlKey: string | null;
  readonly accountId: number;
  readonly companyId: number | null;
  readonly companyDomain: string;
  readonly login: string;
  readonly name: string;
  readonly createdMs: number;
  /** Null for a permanent token. */
  readonly expiresMs: number | null;
  readonly deviceDescription: string;
  readonly previousLoginMs: number | null;
  readonly previousLoginIp: string | null;
  readonly needPasswordChange: boolean;
  /** The token is good for nothing but setting up the second factor that the company demands. */
  readonly needSecondFactor: boolean;
}

/** Auth tokens: made after a proof of identity, listed and ended by their owner. */
@Injectable()
export class SessionService {
  constructor(
    private readonly tokens: TokenRepository,
    private readonly accounts: AccountRepository,
    private readonly keys: TokenKeys,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes a token for an account that has just proven who it is, and notes the login. `provenBy` is the password hash that was compared: when it has
   * been replaced meanwhile, the proof is void (INVALID_CREDENTIALS). ACCOUNT_DISABLED; FORBIDDEN from where, or with what, the account may not come. Who lacks the second factor that their company
   * demands gets a token for setting it up. Joins the surrounding transaction.
   */
  open(accountId: number, wish: TokenWish, client: ClientInfo, provenBy?: string): Promise<Session> {
    return this.unitOfWork.run(async () => {
      const now = this.clock.now();
      const previous = await this.accounts.recordLogin(accountId, now, client.ip);
      const account = await this.accounts.find(accountId);
      if (account === null) throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such account.');
      if (account.state !== 'active' || account.companyClosed) throw new DomainError('ACCOUNT_DISABLED', 'This account is switched off.');
      const from = { kind: clientKindOf(client.userAgent), address: client.ip };
      const reason = policyRefusal(previous.policy, from, 'enter', now);
      const needSecondFactor = reason === 'second_factor_required' && !wish.cannotEnrol;
      if (reason !== null && !needSecondFactor) throw forbiddenBy(reason);
      // The row is held from recordLogin on, so a password that changes now waits, and then ends this token too.
      if (provenBy !== undefined && (await this.accounts.passwordHash(accountId)) !== provenBy) {
        throw new DomainError('INVALID_CREDENTIALS', 'Login or password is wrong.');
      }
      const token = randomHex(16);
      const userAgent = shownText(client.userAgent);
      const described = shownText(wish.deviceDescription ?? '');
      const deviceDescription = described === '' && wish.permanent ? shownText(`${now.toISOString().slice(0, 10)} + ${userAgent}`) : described;
      const expiresAt = wish.permanent ? null : new Date(now.getTime() + Math.min(wish.lifeMs ?? TOKEN_LIFE_MS, TOKEN_LIFE_MS));
      const tokenId = randomHex(12);
      Call.identify({ accountId, companyId: account.companyId, tokenId });
      await this.tokens.insert({
        id: tokenId,
        accountId,
        secretSha256: sha256(token),
        permanent: wish.permanent,
        deviceDescription,
        userAgent,
        ip: client.ip,
        createdAt: now,
        expiresAt,
      });
      return {
        token,
        tokenId,
        urlKey: wish.withKey ? await this.keys.make(tokenId) : null,
        accountId,
        companyId: account.companyId,
        companyDomain: account.companyDomain,
        login: mainLogin(accountId, await this.accounts.listLogins(accountId)),
        name: account.name,
        createdMs: now.getTime(),
        expiresMs: expiresAt?.getTime() ?? null,
        deviceDescription,
        previousLoginMs: previous.previousMs,
        previousLoginIp: previous.previousIp,
        needPasswordChange: account.needPasswordChange,
        needSecondFactor,
      };
    });
  }

  /** Ends the token that carried the request. INVALID_ARGUMENT when there is none to end (HTTP Basic, or a second logout). */
  async close(actor: AccountActor): Promise<void> {
    const removed = actor.tokenId !== null && (await this.tokens.removeHeldBy(actor.tokenId));
    this.authenticator.forget(actor.accountId);
    if (!removed) throw new DomainError('INVALID_ARGUMENT', 'There is no token to remove: this request did not use one, or it has ended already.');
  }

  /** The actor's tokens, oldest first. */
  list(actor: AccountActor, options: { readonly includeTemporary: boolean }): Promise<TokenRecord[]> {
    return this.tokens.list(actor.accountId, { permanentOnly: !options.includeTemporary }, this.clock.now());
  }

  /** Ends one of the actor's tokens, at once in this process and within a second elsewhere. TOKEN_NOT_FOUND. */
  async remove(actor: AccountActor, tokenId: string): Promise<void> {
    const removed = await this.tokens.remove(actor.accountId, tokenId);
    this.authenticator.forget(actor.accountId);
    if (!removed) throw new DomainError('TOKEN_NOT_FOUND', 'There is no such token.');
  }
}

/** The login an account is shown with: the oldest confirmed one that is an address, not a pair for HTTP Basic. */
export function mainLogin(accountId: number, logins: readonly LoginRecord[]): string {
  const own = logins.filter((login) => !isPair(login.kind));
  const main = own.find((login) => login.confirmedMs !== null) ?? own[0];
  return main === undefined ? `userid:${accountId}` : formatLogin(main);
}
