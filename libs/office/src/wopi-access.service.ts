import { Injectable } from '@nestjs/common';

import { AccessService, Policies, type Right } from '#libs/access';
import { type AccountActor, Call, Clock, DomainError, type GuestActor, randomUrlSafe, sha256 } from '#libs/kernel';
import { type LocatedNode, nodeNotFound, NodeResolver } from '#libs/nodes';

import { WopiTokenRepository } from './repositories/wopi-token.repository.js';

/** An access token, shown once. */
export interface WopiGrant {
  readonly accessToken: string;
  /** Names the file, and the version when it is an older one, in the URLs of the protocol. */
  readonly fileId: string;
  /** ms since the epoch. */
  readonly expiresMs: number;
}

/** What an office server may do with one file at this moment. */
export interface WopiSession {
  readonly actor: AccountActor | GuestActor;
  /** Name of the person; empty for a guest. */
  readonly userName: string;
  /** The same for all sessions of a person, and another one for each guest. */
  readonly userId: string;
  readonly fileId: string;
  readonly node: LocatedNode;
  /** An older version, which is only looked at; null = the current one. */
  readonly versionNo: number | null;
  readonly right: Right;
  /** The token is one for editing, and the person may write now. */
  readonly mayWrite: boolean;
  readonly mayPrint: boolean;
  /** What must stand on all that is shown; null = nothing. */
  readonly watermark: string | null;
  readonly expiresMs: number;
}

/** Longest life of a token. */
const TOKEN_LIFE_MS = 10 * 3_600_000;
const TOKEN = /^[\w-]{43}$/;

/** Access tokens of office servers: they name a person and a file; what that allows is looked up at each call. */
@Injectable()
export class WopiAccess {
  constructor(
    private readonly tokens: WopiTokenRepository,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly policies: Policies,
    private readonly clock: Clock,
  ) {}

  /** A token for a file that the actor was just allowed to open. `untilMs`: when it must end at the latest. */
  async issue(
    actor: AccountActor | GuestActor,
    nodeId: string,
    { versionNo = null, mayWrite, untilMs = Infinity }: { versionNo?: number | null; mayWrite: boolean; untilMs?: number },
  ): Promise<WopiGrant> {
    const accessToken = randomUrlSafe(32);
    const nowMs = this.clock.nowMs();
    const expiresMs = Math.min(nowMs + TOKEN_LIFE_MS, untilMs);
    const own = actor.kind === 'account';
    await this.tokens.insert({
      secretSha256: sha256(accessToken),
      nodeId,
      versionNo,
      mayWrite,
      accountId: own ? actor.accountId : null,
      authTokenId: own ? actor.tokenId : null,
      byPair: own && actor.byPair === true,
      guest: own ? null : actor,
      client: own ? (actor.client ?? null) : null,
      createdAt: new Date(nowMs),
      expiresAt: new Date(expiresMs),
    });
    return { accessToken, fileId: fileIdOf(nodeId, versionNo), expiresMs };
  }

  /**
   * What the token opens. UNAUTHENTICATED when it is none, has ended, or is for another file; NODE_NOT_FOUND when the file is out of reach, or its bytes
   * are; FORBIDDEN where the account may not be used any more.
   */
  async open(accessToken: string, fileId: string): Promise<WopiSession> {
    const secret = TOKEN.test(accessToken) ? sha256(accessToken) : null;
    const holder = secret && (await this.tokens.find(secret, this.clock.now()));
    if (!holder || fileIdOf(holder.nodeId, holder.versionNo) !== fileId)
      throw new DomainError('UNAUTHENTICATED', 'The access token is missing, wrong or has ended.');
    const actor: AccountActor | GuestActor =
      holder.guest ??
      ({
        kind: 'account',
        accountId: holder.accountId!,
        companyId: holder.companyId,
        role: holder.role!,
        tokenId: holder.authTokenId,
        ...(holder.byPair ? { byPair: true } : {}),
        ...(holder.policy ? { policy: holder.policy } : {}),
        ...(holder.client ? { client: holder.client } : {}),
      } satisfies AccountActor);
    await this.policies.require(actor, 'enter');
    Call.identify(actor);
    const placed = await this.resolver.find(actor, { id: holder.nodeId });
    const right = placed && (await this.access.effectiveRights(actor, [placed.node])).get(placed.node.id);
    if (!placed || !right?.download || placed.node.kind !== 'file') throw nodeNotFound();
    return {
      actor,
      userName: holder.name,
      userId: holder.accountId === null ? `guest${secret.toString('hex').slice(0, 24)}` : String(holder.accountId),
      fileId,
      node: placed.node,
      versionNo: holder.versionNo,
      right,
      mayWrite: holder.mayWrite && holder.policy?.canUpload === true && right.write,
      mayPrint: (await this.policies.refusal(actor, 'print')) === null,
      watermark: holder.policy?.useWatermarks ? holder.name || `userid:${holder.accountId}` : null,
      expiresMs: holder.expiresAt.getTime(),
    };
  }
}

/** Versions are files of their own to an office server: it must not join the session of the current one. */
export function fileIdOf(nodeId: string, versionNo: number | null): string {
  return versionNo === null ? nodeId : `${nodeId}_${versionNo}`;
}

/** FORBIDDEN unless the session may write; as an account, because only accounts do. */
export function writerOf(session: WopiSession): AccountActor {
  if (session.mayWrite && session.actor.kind === 'account') return session.actor;
  throw new DomainError('FORBIDDEN', 'This file was opened for reading.');
}
