import { createHmac, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import { type AccountActor, type Client, Clock, DomainError, forbiddenBy, type Policy, policyRefusal, sha256 } from '#libs/kernel';

import { ActivityRecorder } from './activity-recorder.js';
import { CredentialVerifier } from './credential-verifier.service.js';
import { basicCandidates, isPair, splitBasic } from './login-name.js';
import type { SignedRequest } from './oauth1/signature.js';
import { SignedRequests } from './oauth1/signed-requests.js';
import { AccountRepository } from './repositories/account.repository.js';
import { DeviceRepository } from './repositories/device.repository.js';
import { type TokenHolder, TokenRepository, USE_GRAIN_MS } from './repositories/token.repository.js';

const TRUST_MS = 1_000;
const MAX_ENTRIES = 20_000;
const TOKEN = /^[0-9a-f]{32}$/i;

/** The actor before it is known where a request comes from. */
type KnownActor = AccountActor & { readonly policy: Policy };

/** What no address list holds, so that who forgets to say it lets nobody in who is restricted. */
const NOWHERE: Client = { kind: 'other', address: '' };

interface Found {
  readonly actor: KnownActor;
  readonly ownerId: number;
  readonly trustMs: number;
}

interface Known {
  readonly actor: Promise<KnownActor>;
  /** Who logged in, and who acts; undefined while it is being looked up. */
  ownerId?: number;
  accountId?: number;
  trustedUntilMs: number;
}

/** What a call is good for. */
export interface Entry {
  /** True: also for who has yet to set up the second factor that their company demands. */
  readonly enrols?: boolean | undefined;
}

/** A password that was right: it stays right for as long as the account carries the hash it was compared with. */
interface ProvenPassword {
  readonly secretHash: string;
}

/**
 * Credential -> Actor, for every request, with what is allowed to it. The client is judged by that each time: FORBIDDEN (`details.reason`) where, or with
 * what, the account may not be used. What was found is trusted for one second, so a revocation reaches every process within that time;
 * in this process `forget` makes it effective at once. Requests that arrive together share one lookup.
 */
@Injectable()
export class Authenticator {
  private readonly known = new LRUCache<string, Known>({ max: MAX_ENTRIES });
  private readonly proven = new LRUCache<string, ProvenPassword>({ max: MAX_ENTRIES });
  /** Cache keys must not be passwords, nor hashes that mean something outside of this process. */
  private readonly cacheKey = randomBytes(32);

  constructor(
    private readonly tokens: TokenRepository,
    private readonly accounts: AccountRepository,
    private readonly verifier: CredentialVerifier,
    private readonly activity: ActivityRecorder,
    private readonly devices: DeviceRepository,
    private readonly requests: SignedRequests,
    private readonly clock: Clock,
  ) {}

  /** The account behind an auth token. UNAUTHENTICATED for anything that does not let in now, whatever the reason. */
  async byToken(token: string, client: Client = NOWHERE, entry: Entry = {}): Promise<AccountActor> {
    if (!TOKEN.test(token)) throw unauthenticated();
    const secret = sha256(token.toLowerCase());
    return this.trusted(`token:${secret.toString('base64')}`, client, () => this.lookUpToken(() => this.tokens.findHolder(secret)), entry);
  }

  /**
   * The id of the token that a request of an OAuth 1.0 consumer is signed with; whether it lets in is asked by `byTokenId`. Uses the request up. UNAUTHENTICATED (`details.reason`),
   * INVALID_ARGUMENT for what is no signed request.
   */
  async signedBy(request: SignedRequest): Promise<string> {
    return (await this.requests.prove(request, 'access')).token;
  }

  /** As `byToken`, for a token that was proven by a signature. */
  byTokenId(tokenId: string, client: Client = NOWHERE, entry: Entry = {}): Promise<AccountActor> {
    return this.trusted(`id:${tokenId}`, client, () => this.lookUpToken(() => this.tokens.findHolderOf(tokenId)), entry);
  }

  /**
   * The account behind a token whose device is to be wiped, whatever became of the account: for the few calls by which the device learns of that and says
   * that it is done. Null for any other token.
   */
  async byWipedToken(token: string): Promise<AccountActor | null> {
    return this.wiped(TOKEN.test(token) ? await this.tokens.findHolder(sha256(token.toLowerCase())) : null);
  }

  /** The same for a token that was proven by a signature. */
  async byWipedTokenId(tokenId: string): Promise<AccountActor | null> {
    return this.wiped(await this.tokens.findHolderOf(tokenId));
  }

  private async wiped(holder: TokenHolder | null): Promise<AccountActor | null> {
    if (!holder?.remoteWipe) return null;
    await this.devices.deliver(holder.tokenId, this.clock.now());
    const { ownerId: accountId, companyId, tokenId } = holder;
    return { kind: 'account', accountId, companyId, role: 'user', tokenId };
  }

  /**
   * The account that a signed URL was made for, as long as the token that asked for it lives (null: HTTP Basic asked, the account itself must live).
   * UNAUTHENTICATED otherwise.
   */
  async byUrl(accountId: number, tokenId: string | null, client: Client = NOWHERE): Promise<AccountActor> {
    return this.trusted(`url:${accountId}:${tokenId ?? ''}`, client, async () => {
      const nowMs = this.clock.nowMs();
      if (tokenId === null) {
        const account = Number.isSafeInteger(accountId) ? await this.tokens.findAccount(accountId) : null;
        if (account?.state !== 'active' || (account.accountExpiresAt !== null && account.accountExpiresAt.getTime() <= nowMs))
          throw unauthenticated();
        const { companyId, role, policy } = account;
        return { actor: { kind: 'account', accountId, companyId, role, tokenId: null, policy }, ownerId: accountId, trustMs: TRUST_MS };
      }
      const holder = await this.tokens.findHolderOf(tokenId);
      if (holder?.accountId !== accountId || !letsIn(holder, nowMs)) throw unauthenticated();
      return { actor: actorOf(holder), ownerId: holder.ownerId, trustMs: TRUST_MS };
    });
  }

  /**
   * The account behind `user:password` of HTTP Basic, sent by the client. Throws as a login does (INVALID_CREDENTIALS, LOGIN_LOCKED, ...), and
   * SECOND_FACTOR_REQUIRED where one is on: a code is good once, so programs use a pair made for them, or a token;
   * the password is hashed again only when the stored hash has changed.
   */
  async byBasic(userPass: string, client: Client, entry: Entry = {}): Promise<AccountActor> {
    const key = createHmac('sha256', this.cacheKey).update(userPass).digest('base64');
    return this.trusted(`basic:${key}`, client, () => this.lookUpBasic(key, userPass, client.address), entry);
  }

  /**
   * Which of these tokens (by id) let in now, as the account they let in before and from where they came: for connections that outlive their request.
   * One statement, no cache.
   */
  async stillIn(holders: readonly { readonly tokenId: string; readonly accountId: number; readonly client?: Client }[]): Promise<Set<string>> {
    if (holders.length === 0) return new Set();
    const now = this.clock.now();
    const policies = new Map((await this.tokens.letIn(holders, now)).map(({ tokenId, policy, acts }) => [tokenId, acts ? asActed(policy) : policy]));
    const shutOut = new Set(
      holders.flatMap(({ tokenId, client }) => {
        const policy = policies.get(tokenId);
        return policy && policyRefusal(policy, client, 'enter', now) === null ? [] : [tokenId];
      }),
    );
    return new Set([...policies.keys()].filter((tokenId) => !shutOut.has(tokenId)));
  }

  /** Makes what was changed about an account (token removed, password changed, account disabled) effective at once in this process. */
  forget(accountId: number): void {
    for (const [key, entry] of this.known.entries()) {
      // A lookup under way may have read the state from before the change.
      if (entry.ownerId === undefined || entry.ownerId === accountId || entry.accountId === accountId) this.known.delete(key);
    }
  }

  /** The same for all accounts at once: of a company, for example. */
  forgetAll(): void {
    this.known.clear();
  }

  private async trusted(key: string, client: Client, lookUp: () => Promise<Found>, { enrols }: Entry = {}): Promise<AccountActor> {
    const actor = await this.lookedUp(key, lookUp);
    const reason = policyRefusal(actor.policy, client, 'enter', this.clock.now());
    if (reason !== null && !(enrols && reason === 'second_factor_required')) throw forbiddenBy(reason);
    if (actor.impersonatorId === undefined) this.activity.recordDay(actor.accountId, client.kind);
    return { ...actor, client };
  }

  private async lookedUp(key: string, lookUp: () => Promise<Found>): Promise<KnownActor> {
    const found = this.known.get(key);
    if (found !== undefined && found.trustedUntilMs > this.clock.nowMs()) return found.actor;
    const looking = lookUp();
    const entry: Known = { actor: looking.then(({ actor }) => actor), trustedUntilMs: Number.POSITIVE_INFINITY };
    // Nobody may be waiting for this copy; the caller below gets the error itself.
    entry.actor.catch(() => undefined);
    this.known.set(key, entry);
    try {
      const { actor, ownerId, trustMs } = await looking;
      entry.ownerId = ownerId;
      entry.accountId = actor.accountId;
      entry.trustedUntilMs = this.clock.nowMs() + trustMs;
      return actor;
    } catch (error) {
      if (this.known.peek(key) === entry) this.known.delete(key);
      throw error;
    }
  }

  private async lookUpToken(find: () => Promise<TokenHolder | null>): Promise<Found> {
    const startedMs = this.clock.nowMs();
    const holder = await find();
    if (holder?.remoteWipe) await this.refuseWiped(holder);
    if (holder === null || !letsIn(holder, startedMs)) throw unauthenticated();
    this.activity.record(holder.accountId, holder.tokenId, holder.lastUsedAt);
    const endsInMs = (holder.tokenExpiresAt?.getTime() ?? Infinity) - startedMs;
    return { actor: actorOf(holder), ownerId: holder.ownerId, trustMs: Math.min(TRUST_MS, endsInMs) };
  }

  /** Tells the device that it is to be wiped. */
  private async refuseWiped(holder: TokenHolder): Promise<never> {
    await this.devices.deliver(holder.tokenId, this.clock.now());
    throw new DomainError('UNAUTHENTICATED', 'This device is to be wiped: remove its data, then call accounts/token_wiped.', {
      reason: 'remote_wipe',
    });
  }

  private async lookUpBasic(key: string, userPass: string, ip: string): Promise<Found> {
    const split = splitBasic(userPass);
    if (split === null) throw unauthenticated();
    const logins = basicCandidates(split.user);
    const proven = this.proven.get(key);
    const current = proven === undefined ? null : await this.accounts.findCredential(logins);
    const stillRight =
      current !== null &&
      current.secretHash === proven?.secretHash &&
      current.state === 'active' &&
      current.loginConfirmed &&
      !current.hasSecondFactor &&
      (current.expiresMs === null || current.expiresMs > this.clock.nowMs()) &&
      (current.passwordEndsMs === null || current.passwordEndsMs > this.clock.nowMs());
    const credential = stillRight ? current : await this.verifier.verify(logins, { password: split.password }, ip);
    this.proven.set(key, { secretHash: credential.secretHash! });
    const { accountId, companyId, role, loginKind, policy } = credential;
    this.activity.record(accountId, null, null);
    return {
      actor: { kind: 'account', accountId, companyId, role, tokenId: null, policy, ...(isPair(loginKind) ? { byPair: true } : {}) },
      ownerId: accountId,
      trustMs: TRUST_MS,
    };
  }
}

function actorOf({ accountId, companyId, role, tokenId, ownerId, policy }: TokenHolder): KnownActor {
  const known = { kind: 'account', accountId, companyId, role, tokenId } as const;
  return ownerId === accountId ? { ...known, policy } : { ...known, policy: asActed(policy), impersonatorId: ownerId };
}

/** The policy of an account for an administrator who acts as it: he has proven himself, and cannot set its second factor up. */
function asActed(policy: Policy): Policy {
  return policy.company === null ? policy : { ...policy, company: { ...policy.company, secondFactor: null } };
}

function letsIn(holder: TokenHolder, nowMs: number): boolean {
  const inTime = (end: Date | null) => end === null || end.getTime() > nowMs;
  const inUse = holder.idleMs === null || nowMs < holder.lastUsedAt.getTime() + Math.max(holder.idleMs, USE_GRAIN_MS) + USE_GRAIN_MS;
  return (
    inUse &&
    holder.state === 'active' &&
    !holder.remoteWipe &&
    holder.ownerState === 'active' &&
    inTime(holder.tokenExpiresAt) &&
    inTime(holder.accountExpiresAt) &&
    inTime(holder.ownerExpiresAt)
  );
}

function unauthenticated(): DomainError {
  return new DomainError('UNAUTHENTICATED', 'Sign in first: the token is missing, wrong or has ended.');
}
