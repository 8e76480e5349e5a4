import { Injectable } from '@nestjs/common';

import type { Actor } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';

import type { UploadName } from './batch-confirm.service.js';
import { ConfirmService, type ConfirmUpload } from './confirm.service.js';
import { MultiConfirmService } from './multi-confirm.js';
import type { CreateUpload } from './upload-command.js';
import { type CreatedUpload, UploadOpener, type UploadTarget } from './upload-opener.js';

/** The way of a file into the tree: open, send the bytes to the URL given, confirm. */
@Injectable()
export class UploadService {
  constructor(
    private readonly opener: UploadOpener,
    private readonly confirms: ConfirmService,
    private readonly multiConfirms: MultiConfirmService,
  ) {}

  /** See UploadOpener.create. */
  create(actor: Actor, command: CreateUpload): Promise<CreatedUpload> {
    return this.opener.create(actor, command);
  }

  /** See UploadOpener.createPart. */
  createPart(actor: Actor, command: { tempPath: string; partNumber: number }): Promise<UploadTarget> {
    return this.opener.createPart(actor, command);
  }

  /** See ConfirmService.confirm. */
  confirm(command: ConfirmUpload): Promise<LocatedNode> {
    return this.confirms.confirm(command);
  }

  /** Public id of a task whose result is a MultiConfirmResult. INVALID_ARGUMENT for no uploads or too many. */
  async startMultiConfirm(actor: Actor, items: readonly UploadName[]): Promise<string> {
    return (await this.multiConfirms.start(actor, items)).publicId;
  }
}
