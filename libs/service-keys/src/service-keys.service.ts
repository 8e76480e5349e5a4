import { createHmac, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import { AdminRights, PasswordHasher, ProgramTokens, refusePair } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Call, type Client, Clock, DomainError, isDomainError, isUuid, newId, randomUrlSafe, sha256 } from '#libs/kernel';
import { Limiter, type LimiterSlot } from '#libs/limiter';

import { type KeyHolder, ServiceKeyRepository } from './repositories/service-key.repository.js';
import type { NewServiceKey, ProvenKey, ServiceKey, ServiceKeyKind } from './service-key.js';

const MOST_KEYS = 100;
const MOST_NAME_BYTES = 255;
const MOST_SCOPE = 100;
const MAX_PROVEN = 20_000;
const WINDOW_MS = 15 * 60_000;
/** Secrets that may be tried for one public id from one address, and keys that may be tried from one address, in 15 minutes. */
const TRIES_PER_PAIR = 10;
const TRIES_PER_ADDRESS = 300;

const SECRET = /^sk_[\w-]{43}$/;
const PUBLIC_ID = /^id_[\w-]{22}$/;

/**
 * Keys for programs: made, listed and revoked by the person whose account they act as, and by administrators of that person. A key lives as long as its token
 * (ProgramTokens): it ends with a changed password, with the account, and when it is revoked, everywhere within a second.
 */
@Injectable()
export class ServiceKeys {
  /** Keys that were shown and right, by a keyed hash of what was shown. What is in it says nothing about whether they are still good. */
  private readonly proven = new LRUCache<string, Promise<KeyHolder | null>>({ max: MAX_PROVEN });
  private readonly cacheKey = randomBytes(32);

  constructor(
    private readonly rows: ServiceKeyRepository,
    private readonly tokens: ProgramTokens,
    private readonly rights: AdminRights,
    private readonly hasher: PasswordHasher,
    private readonly limiter: Limiter,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** A new key of the actor, or of a user whom he administrates. INVALID_ARGUMENT; FORBIDDEN by a key, WRONG_STATE beyond 100 keys of a kind; as AdminRights. */
  async create(
    actor: AccountActor,
    { kind, name, scope = null }: { readonly kind: ServiceKeyKind; readonly name: string; readonly scope?: readonly string[] | null },
    accountId = actor.accountId,
  ): Promise<NewServiceKey> {
    await this.requireRight(actor, accountId);
    const shownName = checkedName(name);
    if (scope !== null && scope.length > MOST_SCOPE) throw new DomainError('INVALID_ARGUMENT', `A key reaches at most ${MOST_SCOPE} places by name.`);
    const secret = `sk_${randomUrlSafe(32)}`;
    const isPair = kind === 'client';
    const secretHash = isPair ? await this.hasher.hash(secret) : null;
    const publicId = isPair ? `id_${randomUrlSafe(16)}` : null;
    const hint = secret.slice(-4);
    return this.unitOfWork.run(async () => {
      await this.rows.lock(accountId);
      if ((await this.rows.count(accountId, kind)) >= MOST_KEYS) {
        throw new DomainError('WRONG_STATE', `There are ${MOST_KEYS} keys of this kind already; revoke one first.`);
      }
      const createdAt = this.clock.now();
      const id = newId(createdAt.getTime());
      const tokenId = await this.tokens.make(accountId, sha256(isPair ? randomBytes(32) : secret), shownName);
      await this.rows.insert({ id, tokenId, accountId, kind, name: shownName, publicId, secretHash, hint, scope, createdAt });
      Call.note('account', accountId);
      Call.note('key', id);
      return { id, kind, name: shownName, publicId, secret, hint, scope, createdMs: createdAt.getTime(), lastUsedMs: null };
    });
  }

  /** The living keys of the actor, or of a user whom he administrates, oldest first. FORBIDDEN by a key; as AdminRights. */
  async list(actor: AccountActor, kind: ServiceKeyKind, accountId = actor.accountId): Promise<ServiceKey[]> {
    await this.requireRight(actor, accountId);
    return this.rows.list(accountId, kind);
  }

  /** How many living keys of a kind the actor has; keys may ask too. */
  count(actor: AccountActor, kind: ServiceKeyKind): Promise<number> {
    return this.rows.count(actor.accountId, kind);
  }

  /** Ends a key of the actor, or of a user whom he administrates. TOKEN_NOT_FOUND; FORBIDDEN by a key; as AdminRights. */
  async revoke(actor: AccountActor, kind: ServiceKeyKind, id: string, accountId = actor.accountId): Promise<void> {
    await this.requireRight(actor, accountId);
    await this.unitOfWork.run(async () => {
      const key = isUuid(id) ? await this.rows.find(accountId, kind, id) : null;
      if (key === null) throw new DomainError('TOKEN_NOT_FOUND', 'There is no such key.');
      Call.note('account', accountId);
      Call.note('key', id);
      await this.tokens.end(accountId, key.tokenId);
    });
  }

  /**
   * Who acts by a key; null for one that is wrong, revoked or ended, whatever the reason. FORBIDDEN (`details.reason`) where the account may not be used from the
   * client; RATE_LIMITED after too many wrong ones. Not inside of a transaction.
   */
  async authenticate(
    kind: ServiceKeyKind,
    shown: { readonly publicId?: string | undefined; readonly secret: string },
    client: Client,
  ): Promise<ProvenKey | null> {
    const publicId = kind === 'client' ? (shown.publicId ?? '') : '';
    if (!SECRET.test(shown.secret) || (kind === 'client' && !PUBLIC_ID.test(publicId))) return null;
    const key = createHmac('sha256', this.cacheKey).update(`${kind}:${publicId}:${shown.secret}`).digest('base64');
    const holder = await this.holderOf(key, () => this.lookUp(kind, publicId, shown.secret, client.address));
    if (holder === null) return null;
    try {
      return { actor: await this.tokens.actorOf(holder.tokenId, client), keyId: holder.id, scope: holder.scope };
    } catch (error) {
      // it stays known whose it was, so that a program that goes on with it costs no comparison, and its house no turn
      if (!isDomainError(error, 'UNAUTHENTICATED')) throw error;
      return null;
    }
  }

  /** Calls that arrive together share one comparison; what was wrong is not remembered. */
  private holderOf(key: string, lookUp: () => Promise<KeyHolder | null>): Promise<KeyHolder | null> {
    const known = this.proven.get(key);
    if (known !== undefined) return known;
    const looking = Call.aside(lookUp);
    this.proven.set(key, looking);
    const drop = () => void (this.proven.peek(key) === looking && this.proven.delete(key));
    looking.then((holder) => holder ?? drop(), drop);
    return looking;
  }

  private async lookUp(kind: ServiceKeyKind, publicId: string, secret: string, address: string): Promise<KeyHolder | null> {
    const slots: LimiterSlot[] = [];
    const release = () => Promise.all(slots.map((slot) => slot.release()));
    const limits: [string, number][] = [[`service-key:${address}`, TRIES_PER_ADDRESS]];
    if (publicId !== '') limits.push([`service-key:${publicId}|${address}`, TRIES_PER_PAIR]);
    let holder: KeyHolder | null;
    try {
      for (const [bucket, limit] of limits) {
        const slot = await this.limiter.take(bucket, limit, WINDOW_MS);
        if (!slot.granted) throw new DomainError('RATE_LIMITED', 'Too many wrong keys were sent; wait a while.', { retryAfterMs: slot.retryAfterMs });
        slots.push(slot);
      }
      holder = publicId === '' ? await this.rows.bySecret(kind, sha256(secret)) : await this.compared(kind, publicId, secret);
    } catch (error) {
      // nothing was compared, so nothing was tried
      await release();
      throw error;
    }
    if (holder !== null) await release();
    return holder;
  }

  private async compared(kind: ServiceKeyKind, publicId: string, secret: string): Promise<KeyHolder | null> {
    const row = await this.rows.byPublicId(kind, publicId);
    if (!(await this.hasher.verify(row?.secretHash ?? null, secret)) || row === null) return null;
    const { id, tokenId, accountId, scope } = row;
    return { id, tokenId, accountId, scope };
  }

  private async requireRight(actor: AccountActor, accountId: number): Promise<void> {
    refusePair(actor);
    if (accountId === actor.accountId) return;
    await this.rights.requireAdminOf(actor, accountId);
    await this.rights.requireHigher(actor, accountId);
  }
}

function checkedName(text: string): string {
  const name = text.trim();
  if (name === '' || Buffer.byteLength(name) > MOST_NAME_BYTES || /\p{Cc}/u.test(name)) {
    throw new DomainError('INVALID_ARGUMENT', `A name has 1 to ${MOST_NAME_BYTES} bytes and no control characters.`);
  }
  return name;
}
