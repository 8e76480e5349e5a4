import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Call } from '#libs/kernel';
import { Outbox } from '#libs/queue';

import type { ContentLink } from './content-id.js';
import { ContentTap } from './content-tap.js';
import { ContentIdRepository } from './repositories/content-id.repository.js';

/** Names of contents by their bytes (IPFS CIDv0). Of files whose id is asked here the right to read must have been judged before. */
@Injectable()
export class ContentIds {
  constructor(
    private readonly contentIds: ContentIdRepository,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Computes and keeps the id of one file that is brought through this process; for `FileIntake.take`. */
  tap(): ContentTap {
    return new ContentTap((tempName, contentId) => this.contentIds.keepOfUpload(tempName, contentId));
  }

  /**
   * CIDs of the current contents of files, by the id of the file. Of a file that came by a way where nobody computed it the first question has it
   * computed by a worker, and it is left out until then; so are ids of folders and of nothing.
   */
  async of(fileIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (fileIds.length === 0) return new Map();
    const files = await this.contentIds.ofFiles(fileIds);
    const unasked = files.filter(({ asked }) => !asked).map(({ blobId }) => blobId);
    if (unasked.length > 0) await this.ask(unasked);
    return new Map(files.flatMap(({ fileId, cid }) => (cid === null ? [] : [[fileId, cid] as const])));
  }

  /** The blocks below the root of a file's current content; empty when it is one block, null when the id is not computed yet (see `of`). */
  links(fileId: string): Promise<readonly ContentLink[] | null> {
    return this.contentIds.linksOf(fileId);
  }

  private async ask(blobIds: readonly string[]): Promise<void> {
    // Beside the call: who reads a list changes nothing.
    await Call.aside(() =>
      this.unitOfWork.run(async () => {
        if (await this.contentIds.ask(blobIds)) await this.outbox.add('content-ids.make', {});
      }),
    );
  }
}
