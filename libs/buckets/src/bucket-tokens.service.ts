import { createHmac } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';

import { Authenticator } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { type Client, Clock, DomainError } from '#libs/kernel';

import { type BucketHolder, bucketNotFound, filePath } from './bucket.js';
import { Buckets } from './buckets.service.js';

/** Leave to put one file. */
export interface UploadLeave {
  readonly holder: BucketHolder;
  /** Name of the bucket. */
  readonly bucket: string;
  readonly path: string;
}

interface Claims {
  readonly sub: string;
  /** The token of the key that it was made with. */
  readonly jti: string;
  readonly bucket: string;
  /** Of the upload that it allows; absent in tokens for downloads. */
  readonly path?: string;
  /** The file that it opens; absent in tokens for uploads. */
  readonly file?: string;
}

type Purpose = 'upload' | 'download';

/**
 * Tokens that a program gives away: for one upload to one path of one bucket, or for one file. They are JWT, and decide nothing: the key that one was made with
 * must still let in, and what it is for is judged when it is used.
 */
@Injectable()
export class BucketTokens {
  private readonly secret: string;

  constructor(
    config: AppConfig,
    private readonly buckets: Buckets,
    private readonly authenticator: Authenticator,
    private readonly clock: Clock,
  ) {
    this.secret = config.secretKey;
  }

  /** A token for bytes that go to a path, and the path as it is meant. NODE_NOT_FOUND for the bucket, NAME_ILLEGAL. */
  async forUpload(
    holder: BucketHolder,
    place: { readonly bucket: string; readonly path: string },
    lifeMs: number,
  ): Promise<{ token: string; path: string }> {
    const bucket = await this.buckets.find(holder, place.bucket);
    const path = filePath(place.path).join('/');
    return { token: this.sign('upload', holder, { bucket: bucket.id, path }, lifeMs), path };
  }

  /** A token for the bytes of a file of a bucket, both by id. */
  forDownload(holder: BucketHolder, bucketId: string, fileId: string, lifeMs: number): string {
    return this.sign('download', holder, { bucket: bucketId, file: fileId }, lifeMs);
  }

  /** UNAUTHENTICATED for a token that is wrong, over, or whose key has ended; NODE_NOT_FOUND when its bucket has; FORBIDDEN as Authenticator.byUrl. */
  async openUpload(token: string, client: Client): Promise<UploadLeave> {
    const { claims, holder } = await this.open('upload', token, client);
    const bucket = await this.buckets.get(claims.bucket);
    if (!bucket || bucket.ownerId !== holder.actor.accountId) throw bucketNotFound();
    return { holder, bucket: bucket.name, path: claims.path ?? '' };
  }

  /** As `openUpload`, with the id of the one file that it opens. */
  async openDownload(token: string, client: Client): Promise<{ readonly holder: BucketHolder; readonly fileId: string }> {
    const { claims, holder } = await this.open('download', token, client);
    return { holder, fileId: claims.file ?? '' };
  }

  private sign(purpose: Purpose, { actor }: BucketHolder, claims: Omit<Claims, 'sub' | 'jti'>, lifeMs: number): string {
    const iat = Math.floor(this.clock.nowMs() / 1000);
    const all = { ...claims, sub: String(actor.accountId), jti: actor.tokenId ?? '', iat, exp: iat + Math.ceil(lifeMs / 1000) };
    return jwt.sign(all, this.keyOf(purpose), { algorithm: 'HS256' });
  }

  private async open(purpose: Purpose, token: string, client: Client): Promise<{ claims: Claims; holder: BucketHolder }> {
    let claims: Claims;
    try {
      const options = { algorithms: ['HS256' as const], clockTimestamp: Math.floor(this.clock.nowMs() / 1000) };
      claims = jwt.verify(token, this.keyOf(purpose), options) as unknown as Claims;
    } catch (error) {
      throw new DomainError('UNAUTHENTICATED', 'The token is wrong or has ended.', {}, { cause: error });
    }
    const actor = await this.authenticator.byUrl(Number(claims.sub), claims.jti, client);
    return { claims, holder: { actor: { ...actor, byPair: true }, scope: [claims.bucket] } };
  }

  /** A key for each purpose, so that no token counts as one of another kind. */
  private keyOf(purpose: Purpose): Buffer {
    return createHmac('sha256', this.secret).update(`bucket ${purpose} tokens 1`).digest();
  }
}
