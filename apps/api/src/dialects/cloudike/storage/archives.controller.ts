import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import { type ArchiveSelection, ArchiveService } from '#libs/archives';
import { AppConfig } from '#libs/config';
import { type AccountActor, DomainError } from '#libs/kernel';

import { clientOf } from '../../../http/request-client.js';
import { CloudikeController, CurrentActor, OptionalActor, Params, Route, UrlSegment } from '../http/index.js';
import { presentArchiveLink, presentStreamProgress } from '../presenters/archive.presenter.js';
import { presentTask } from '../presenters/task.presenter.js';
import { ArchiveSender } from './archive-sender.js';
import { ArchiveDto, ArchiveStreamDto, StreamProgressDto } from './archives.dto.js';

const ERRORS = { NOT_A_FOLDER: [404, 'NotFound'] } as const;

/** Files and folders as one archive: built by a task, or streamed under a private link. */
@CloudikeController('files')
export class ArchivesController {
  constructor(
    private readonly archives: ArchiveService,
    private readonly sender: ArchiveSender,
    private readonly config: AppConfig,
  ) {}

  @Route('files/download_as_archive', {
    auth: 'account',
    head: false,
    summary: 'Build an archive in the background; the result is its URL',
    errors: ERRORS,
  })
  async build(@CurrentActor() actor: AccountActor, @Params(ArchiveDto) params: ArchiveDto) {
    return presentTask(await this.archives.startBuild(actor, selectionOf(params.paths, params)));
  }

  @Route('files/create_link_of_archive', { auth: 'account', head: false, summary: 'A private link that streams an archive', errors: ERRORS })
  async createLink(@CurrentActor() actor: AccountActor, @Params(ArchiveDto) params: ArchiveDto) {
    return presentArchiveLink(this.config.http.publicUrl, await this.archives.createStream(actor, selectionOf(params.paths, params)));
  }

  /** One URL makes links (POST) and gives archives (GET); a hash always asks for the bytes, since clients mix the methods up. */
  @Route('files/download_as_archive_stream', {
    auth: 'optional',
    audit: 'change',
    summary: 'POST: a private link that streams an archive; GET: the archive',
    errors: ERRORS,
  })
  async streamOrCreate(
    @OptionalActor() actor: AccountActor | null,
    @Params(ArchiveStreamDto) params: ArchiveStreamDto,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (params.hash) return this.stream(params.hash, request, response);
    if (!actor) throw new DomainError('UNAUTHENTICATED', 'This call needs a token, or the hash of a link.');
    if (!params.paths?.length) throw new DomainError('INVALID_ARGUMENT', 'The parameter "path" is required.');
    const created = await this.archives.createStream(actor, selectionOf(params.paths, params));
    if (request.method === 'POST') {
      response.json(presentArchiveLink(this.config.http.publicUrl, created));
      return;
    }
    await this.sender.send(request, response, await this.archives.openStream(created.privateHash, clientOf(request)), false);
  }

  @Route('files/download_as_archive_stream/<hash>', { auth: 'public', summary: 'The archive of a private link' })
  async stream(@UrlSegment('hash') hash: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const archive = await this.archives.openStream(hash, clientOf(request));
    await this.sender.send(request, response, archive, archive.mayResume);
  }

  @Route(['files/progress_download_streams', 'files/progress_download_streams/<hash>'], {
    auth: 'account',
    summary: 'How far archive streams are: one, or all of the user by creation',
  })
  async progress(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('hash') hash: string | undefined,
    @Params(StreamProgressDto) { privateHash }: StreamProgressDto,
  ) {
    const wanted = hash ?? privateHash;
    if (wanted) return presentStreamProgress(await this.archives.progress(actor, wanted));
    return (await this.archives.listProgress(actor)).map(presentStreamProgress);
  }
}

function selectionOf(paths: readonly string[][], { parentFolder, isWin }: { parentFolder?: string[]; isWin?: boolean }): ArchiveSelection {
  return { nodes: paths.map((path) => ({ path })), ...(parentFolder && { parentFolder: { path: parentFolder } }), windows: isWin ?? false };
}
