import type { AccountActor } from '#libs/kernel';
import { AddToStorageService } from '#libs/links';

import { type Caller, CloudikeController, CurrentActor, CurrentCaller, Params, Route, UrlSegment } from '../http/index.js';
import { presentTask } from '../presenters/task.presenter.js';
import { LinkHolder } from './link-holder.js';
import { AddToStorageDto } from './links.dto.js';

/** What is published, taken over into the storage of a user (contract 9). Counts as one download. */
@CloudikeController('links')
export class LinkAdditionsController {
  constructor(
    private readonly holder: LinkHolder,
    private readonly additions: AddToStorageService,
  ) {}

  @Route('links/add_to_storage/<hash>', {
    auth: 'account',
    head: false,
    summary: 'Copy what is published into the storage of the user',
    errors: { NOT_A_FOLDER: [404, 'NotFound'] },
  })
  async add(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('hash') hash: string,
    @Params(AddToStorageDto) params: AddToStorageDto,
    @CurrentCaller() caller: Caller,
  ) {
    const opened = await this.holder.forDownload(hash, params, caller);
    return presentTask(await this.additions.start(actor, opened, { paths: params.paths ?? [], target: params.targetPath ?? [] }));
  }
}
