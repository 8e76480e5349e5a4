import { createHmac, timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';

import { AppConfig } from '#libs/config';
import { Clock, DomainError } from '#libs/kernel';
import type { RoomMember, RoomPass } from '#libs/rooms';
import type { WalletProof } from '#libs/wallets';

import { QUICKSYNC } from '../http/dialect.js';

const DOWNLOAD_SECONDS = 3600;

/** Who asked for a download URL, and for what; whether he may still have it is asked at each use. */
export interface DownloadGrant extends RoomPass {
  readonly fileId: string;
}

/** The tokens of the API. None decides anything: each names a row that every request asks for. */
@Injectable()
export class QuicksyncTokens {
  // Keys of their own, so that no token counts in another's place.
  private readonly walletKey: Buffer;
  private readonly sessionKey: Buffer;
  private readonly downloadKey: Buffer;
  private readonly publicUrl: string;

  constructor(
    private readonly clock: Clock,
    config: AppConfig,
  ) {
    const key = (purpose: string) => createHmac('sha256', config.secretKey).update(purpose).digest();
    this.walletKey = key('wallet bearers 1');
    this.sessionKey = key('room bearers 1');
    this.downloadKey = key('room downloads 1');
    this.publicUrl = config.http.publicUrl.replace(/\/+$/, '');
  }

  signWallet({ id, address, expiresAt }: WalletProof): string {
    return jwt.sign({ address, exp: seconds(expiresAt) }, this.walletKey, { algorithm: 'HS256', jwtid: id });
  }

  /** The id of the proof that a token names. UNAUTHENTICATED. */
  walletProof(token: string): string {
    return textOf(this.claims(token, this.walletKey), 'jti');
  }

  signSession({ roomId, memberId, passId }: RoomPass, expiresAt: Date): string {
    return jwt.sign({ sid: roomId, exp: seconds(expiresAt) }, this.sessionKey, { algorithm: 'HS256', subject: memberId, jwtid: passId });
  }

  /** What a token of a session names. UNAUTHENTICATED. */
  session(token: string): RoomPass {
    const claims = this.claims(token, this.sessionKey);
    return { roomId: textOf(claims, 'sid'), memberId: textOf(claims, 'sub'), passId: textOf(claims, 'jti') };
  }

  /** A URL that gives the bytes of a file without further credentials for an hour, or for as long as the session and the member's place in it last. */
  downloadUrl(member: RoomMember, fileId: string): { readonly url: string; readonly expiresIn: number } {
    const nowMs = this.clock.nowMs();
    const expiresIn = Math.max(1, Math.min(DOWNLOAD_SECONDS, Math.floor((member.expiresAt.getTime() - nowMs) / 1000)));
    const expires = String(Math.floor(nowMs / 1000) + expiresIn);
    const grant = { fileId, roomId: member.roomId, memberId: member.id, passId: member.passId };
    const query = new URLSearchParams({
      session: grant.roomId,
      member: grant.memberId,
      pass: grant.passId,
      expires,
      signature: this.sign(grant, expires),
    });
    return { url: `${this.publicUrl}${QUICKSYNC.prefix}/buckets/content/${fileId}?${query.toString()}`, expiresIn };
  }

  /** What such a URL names. FORBIDDEN when it was changed, or has ended. */
  downloadGrant(fileId: string, query: URLSearchParams): DownloadGrant {
    const of = (name: string) => query.get(name) ?? '';
    const grant = { fileId, roomId: of('session'), memberId: of('member'), passId: of('pass') };
    const given = Buffer.from(of('signature'));
    const right = Buffer.from(this.sign(grant, of('expires')));
    const isOurs = given.length === right.length && timingSafeEqual(given, right);
    if (!isOurs || Number(of('expires')) * 1000 <= this.clock.nowMs()) throw endedUrl();
    return grant;
  }

  private sign({ fileId, roomId, memberId, passId }: DownloadGrant, expires: string): string {
    return createHmac('sha256', this.downloadKey).update([fileId, roomId, memberId, passId, expires].join('\0')).digest('base64url');
  }

  /** Whether it has ended is for the row to say. */
  private claims(token: string, key: Buffer): Readonly<Record<string, unknown>> {
    try {
      const claims = jwt.verify(token, key, { algorithms: ['HS256'], ignoreExpiration: true });
      if (typeof claims === 'object') return claims;
    } catch {
      // told like any other
    }
    throw new DomainError('UNAUTHENTICATED', 'The token is missing, wrong or has ended.');
  }
}

export function endedUrl(): DomainError {
  return new DomainError('FORBIDDEN', 'This URL was changed or has ended; ask for another one.');
}

function textOf(claims: Readonly<Record<string, unknown>>, name: string): string {
  const value = claims[name];
  return typeof value === 'string' ? value : '';
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
