import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import { type ArchiveSelection, ArchiveService } from '#libs/archives';
import { LinkUsage } from '#libs/links';

import { clientOf } from '../../../http/request-client.js';
import { type Caller, CloudikeController, CurrentCaller, Params, Route, UrlSegment } from '../http/index.js';
import { presentTask } from '../presenters/task.presenter.js';
import { ArchiveSender } from '../storage/archive-sender.js';
import { LinkHolder } from './link-holder.js';
import { LinkArchiveDto } from './links.dto.js';

const ERRORS = { NOT_A_FOLDER: [404, 'NotFound'] } as const;

/** Archives of what is published (contract 9). Each counts as one download. */
@CloudikeController('links')
export class LinkArchivesController {
  constructor(
    private readonly holder: LinkHolder,
    private readonly usage: LinkUsage,
    private readonly archives: ArchiveService,
    private readonly sender: ArchiveSender,
  ) {}

  @Route('links/download_as_archive/<hash>', {
    auth: 'public',
    head: false,
    summary: 'Build an archive of what is published in the background; the result is its URL',
    errors: ERRORS,
  })
  async build(@UrlSegment('hash') hash: string, @Params(LinkArchiveDto) params: LinkArchiveDto, @CurrentCaller() caller: Caller) {
    const opened = await this.holder.forDownload(hash, params, caller);
    return presentTask(await this.usage.built(opened, () => this.archives.startBuild(opened.guest, selectionOf(params))));
  }

  @Route('links/download_as_archive_stream/<hash>', { auth: 'public', head: false, summary: 'An archive of what is published', errors: ERRORS })
  async stream(
    @UrlSegment('hash') hash: string,
    @Params(LinkArchiveDto) params: LinkArchiveDto,
    @CurrentCaller() caller: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const opened = await this.holder.forDownload(hash, params, caller);
    const created = await this.usage.counted(opened, () => this.archives.createStream(opened.guest, selectionOf(params)));
    await this.sender.send(request, response, await this.archives.openStream(created.privateHash, clientOf(request)), false);
  }
}

/** All of the link when nothing is named. */
function selectionOf({ paths = [], parentFolder, isWin }: LinkArchiveDto): ArchiveSelection {
  const chosen = paths.length === 0 ? [[]] : paths;
  return { nodes: chosen.map((path) => ({ path })), ...(parentFolder && { parentFolder: { path: parentFolder } }), windows: isWin ?? false };
}
