import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import { TokenKeys } from '#libs/accounts';
import { DownloadService } from '#libs/files';
import { type Client, DomainError, isUuid } from '#libs/kernel';

import { FileSender } from '../../../blobs/file-sender.js';
import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall, CurrentClient, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { FileagoController } from '../http/controller.js';
import { keyHex } from '../http/key-form.js';
import { revisionOf } from './revision.js';

@FileagoController('bytes')
export class DownloadsController {
  constructor(
    private readonly keys: TokenKeys,
    private readonly downloads: DownloadService,
    private readonly sender: FileSender,
  ) {}

  /** The last part of the path is for people: the name under which the file is saved is its own. */
  @Route('GET', 'resources/auth/download/<access_key>/<node>/<revision>/<path>', {
    auth: 'public',
    summary: 'The bytes of a file, by the fileaccesskey of a session; ranges are served',
    refusals: ['UNAUTHENTICATED', 'NODE_NOT_FOUND', 'FORBIDDEN', 'NOT_A_FILE', 'VERSION_INVALID', 'VERSION_NOT_FOUND'],
  })
  async download(
    @CurrentCall() call: DialectCall,
    @CurrentClient() client: Client,
    @Segment('access_key') key: string,
    @Segment('node') node: string,
    @Segment('revision') revision: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const actor = await this.keys.actorOf(keyHex(key), client);
    call.actor = actor;
    const id = node.toLowerCase();
    if (!isUuid(id)) throw new DomainError('NODE_NOT_FOUND', 'There is no file with this id.');
    const file = await this.downloads.open(actor, { node: { id }, versionNo: revisionOf(revision), inline: false, includeRemoved: true });
    await this.sender.send(request, response, file);
  }
}
