import { Injectable } from '@nestjs/common';

import { Policies } from '#libs/access';
import { BlobStore } from '#libs/blob-store';
import { type Actor, Clock, DomainError } from '#libs/kernel';
import { DerivedObjectRepository } from '#libs/nodes';

import { downloadPass } from './viewer-download-gate.js';

/** How long the URL of a made object works, at most: it may be large and its download be resumed. */
const LINK_SECONDS = 3600;

export interface DerivedLink {
  /** Absolute; needs no header. */
  readonly url: string;
  readonly fileName: string;
  readonly sizeBytes: number;
}

/** Says where an object that was made for a download (archive, listing) can be fetched. */
@Injectable()
export class DerivedLinkService {
  constructor(
    private readonly derived: DerivedObjectRepository,
    private readonly store: BlobStore,
    private readonly policies: Policies,
    private readonly clock: Clock,
  ) {}

  /** NODE_NOT_FOUND when the object is not complete, has expired, or was made for someone else; FORBIDDEN for content that the actor may not have. */
  async link(actor: Actor, storeKey: string): Promise<DerivedLink> {
    const object = await this.derived.findReady(storeKey, this.clock.now());
    if (!object || (actor.kind === 'account' && object.accountId !== actor.accountId)) {
      throw new DomainError('NODE_NOT_FOUND', 'It is not there any more; ask for it again.');
    }
    if (object.kind === 'archive' || object.kind === 'diff') await this.policies.require(actor, 'download');
    const { fileName, contentType, sizeBytes, expiresAt } = object;
    const leftSeconds = Math.floor((expiresAt.getTime() - this.clock.nowMs()) / 1000);
    const url = await this.store.presignGet({
      key: storeKey,
      expiresInSeconds: Math.max(1, Math.min(LINK_SECONDS, leftSeconds)),
      fileName,
      contentType,
      disposition: 'attachment',
      etag: storeKey.slice(storeKey.lastIndexOf('/') + 1),
      // What was made for somebody is his as long as he may come in; what a guest had made, as long as his pass opens something.
      pass: downloadPass(actor, actor.kind === 'guest' ? actor.rootId : undefined),
    });
    return { url, fileName, sizeBytes };
  }
}
