import { FullListingService, type FullListingResult, DerivedLinkService } from '#libs/files';
import { type AccountActor, DomainError } from '#libs/kernel';
import { TaskService } from '#libs/tasks';

import { CloudikeController, CurrentActor, Params, Route } from '../http/index.js';
import { finishedTask } from '../presenters/task.presenter.js';
import { FolderSizePoll } from './folder-size-poll.js';
import { FullListingDto, OptionalPathDto } from './long-reads.dto.js';

/** Readings of a whole tree that the client starts with a first call and asks for with the next ones. */
@CloudikeController('metadata')
export class LongReadsController {
  constructor(
    private readonly listings: FullListingService,
    private readonly tasks: TaskService,
    private readonly links: DerivedLinkService,
    private readonly sizes: FolderSizePoll,
  ) {}

  @Route('metadata_full_listing', {
    auth: 'account',
    head: false,
    summary: 'The whole tree as one JSON file: start it, then ask for its URL',
    errors: { TASK_FAILED: [404, 'TaskFailed'] },
  })
  async fullListing(@CurrentActor() actor: AccountActor, @Params(FullListingDto) { listingRequestId }: FullListingDto) {
    if (!listingRequestId) return { listing_request_id: (await this.listings.start(actor)).publicId };
    const found = await this.tasks.get(actor, listingRequestId);
    if (found.kind !== 'files.full-listing') throw new DomainError('TASK_NOT_FOUND', 'There is no listing with this id.');
    const task = finishedTask(found);
    const { url } = await this.links.link(actor, (task.result as unknown as FullListingResult).storeKey);
    return { url };
  }

  @Route('dir_size_calculate', {
    auth: 'account',
    head: false,
    summary: 'Count a folder in the background, and ask whether it is done',
    errors: { NOT_A_FOLDER: [400, 'InvalidParameters'] },
  })
  async folderSize(@CurrentActor() actor: AccountActor, @Params(OptionalPathDto) { path = [] }: OptionalPathDto) {
    return this.sizes.poll(actor, path);
  }
}
