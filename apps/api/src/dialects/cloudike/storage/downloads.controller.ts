import { DownloadService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { CloudikeController, CurrentActor, Params, PathTail, Route } from '../http/index.js';
import { presentDownload } from '../presenters/download.presenter.js';
import { GetFileDto } from './downloads.dto.js';

@CloudikeController('files')
export class DownloadsController {
  constructor(private readonly downloads: DownloadService) {}

  @Route('files/get/<path>', { auth: 'account', summary: 'A URL that gives the bytes of a file without any header' })
  async get(@CurrentActor() actor: AccountActor, @PathTail() path: string[], @Params(GetFileDto) { version, forView, deleted }: GetFileDto) {
    return presentDownload(
      await this.downloads.link(actor, {
        node: { path },
        versionNo: version || undefined,
        inline: forView ?? false,
        includeRemoved: deleted ?? false,
      }),
    );
  }
}
