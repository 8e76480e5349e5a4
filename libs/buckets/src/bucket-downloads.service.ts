import { Injectable } from '@nestjs/common';

import { DownloadService } from '#libs/files';
import { Call, Clock, type GuestActor, isUuid } from '#libs/kernel';
import { nodeNotFound, NodeRepository, quotaExceeded } from '#libs/nodes';

import type { Bucket, BucketHolder, OpenedBucketFile } from './bucket.js';
import { Buckets, monthOf } from './buckets.service.js';
import { BucketRepository } from './repositories/bucket.repository.js';

/** Bytes that leave buckets: who gets them is judged by the access lib, how many are counted here. */
@Injectable()
export class BucketDownloads {
  constructor(
    private readonly buckets: Buckets,
    private readonly rows: BucketRepository,
    private readonly nodes: NodeRepository,
    private readonly downloads: DownloadService,
    private readonly clock: Clock,
  ) {}

  /**
   * The file at a path of a bucket: for a holder what his account may have, for anybody (null) what is public. NODE_NOT_FOUND for everything else;
   * FORBIDDEN without the right to download; QUOTA_EXCEEDED when the bucket has given out what its plan allows in a month.
   */
  async open(holder: BucketHolder | null, bucketId: string, path: readonly string[]): Promise<OpenedBucketFile> {
    const bucket = isUuid(bucketId) ? await this.buckets.get(bucketId) : null;
    if (!bucket || !reaches(holder, bucket)) throw nodeNotFound();
    const found = path.length > MOST_SEGMENTS ? null : await this.nodes.resolveFrom(bucket.rootId, path, null);
    if (found?.missing.length !== 0 || found.placed.node.kind !== 'file') throw nodeNotFound();
    const { id } = found.placed.node;
    const opened = await this.downloads.open(holder?.actor ?? everybody(bucket, id), { node: { id }, inline: true, includeRemoved: false });
    const { bandwidthLimitBytes } = bucket.plan;
    if (bandwidthLimitBytes !== null && bucket.bandwidthBytes >= bandwidthLimitBytes) throw quotaExceeded();
    return { ...opened, bucketId };
  }

  /** Notes that bytes have left a bucket. */
  async count(bucketId: string, bytes: number): Promise<void> {
    if (bytes > 0) await Call.aside(() => this.rows.addTraffic(bucketId, monthOf(this.clock.nowMs()), bytes));
  }
}

const MOST_SEGMENTS = 128;

function reaches(holder: BucketHolder | null, { id, ownerId }: Bucket): boolean {
  if (holder === null) return true;
  return holder.actor.accountId === ownerId && (holder.scope === null || holder.scope.includes(id));
}

/** Whoever knows the name of a file that is for all. */
function everybody({ id, ownerId }: Bucket, nodeId: string): GuestActor {
  return { kind: 'guest', pass: 'public', passId: nodeId, rootId: nodeId, spaceId: id, issuerId: ownerId };
}
