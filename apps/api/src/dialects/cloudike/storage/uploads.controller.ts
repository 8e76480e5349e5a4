import { AppConfig } from '#libs/config';
import { ConfirmService, type CreateUpload, MultiConfirmService, UploadService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { CloudikeController, CurrentActor, OptionalActor, Params, Reply, Route } from '../http/index.js';
import { NodeWire } from '../presenters/node-wire.js';
import { presentTask } from '../presenters/task.presenter.js';
import { confirmUrl, uploadOf } from './confirm-url.js';
import { newFile } from './new-file.js';
import { ConfirmUploadDto, CreatePartDto, CreateUploadDto, MultiConfirmDto } from './uploads.dto.js';

/** Uploads: where the bytes go, and how they become a file (contract 8). */
@CloudikeController('files')
export class UploadsController {
  constructor(
    private readonly uploads: UploadService,
    private readonly confirms: ConfirmService,
    private readonly multiConfirms: MultiConfirmService,
    private readonly config: AppConfig,
    private readonly wire: NodeWire,
  ) {}

  @Route('files/create', {
    auth: 'account',
    head: false,
    summary: 'Open an upload; 201 with metadata when the content is known already',
    errors: { NAME_TAKEN: [409, 'AlreadyExists'], NOT_A_FOLDER: [409, 'AlreadyExists'] },
  })
  async create(@CurrentActor() actor: AccountActor, @Params(CreateUploadDto) params: CreateUploadDto) {
    const command = commandOf(params);
    const created = await this.uploads.create(actor, command);
    if (created.kind === 'deduplicated') return Reply.json(201, await this.wire.node(actor, created.node));
    const { url, method, headers, tempPath } = created;
    return {
      url,
      method,
      headers,
      parameters: {},
      confirm_url: confirmUrl(this.config.http.publicUrl, 'confirm', actor.accountId, command, created),
      ...(tempPath === undefined ? {} : { temp_path: tempPath }),
    };
  }

  @Route('files/create_part', { auth: 'account', head: false, summary: 'Where one part of a multipart upload goes' })
  async createPart(@CurrentActor() actor: AccountActor, @Params(CreatePartDto) { tempPath, partNum }: CreatePartDto) {
    const { url, method, headers } = await this.uploads.createPart(actor, { tempPath, partNumber: partNum });
    return { url, method, headers, parameters: [] };
  }

  @Route('files/confirm/<path>', {
    auth: 'optional',
    head: false,
    summary: 'Make an uploaded file visible; repeating it gives the same answer',
    errors: { NAME_TAKEN: [409, 'AlreadyExists'], NOT_A_FOLDER: [409, 'AlreadyExists'] },
  })
  async confirm(@OptionalActor() actor: AccountActor | null, @Params(ConfirmUploadDto) { userId, tempName }: ConfirmUploadDto) {
    return this.wire.node(actor, await this.confirms.confirm({ accountId: userId, tempName, actor }));
  }

  @Route('files/multi_confirm', { auth: 'account', head: false, summary: 'Confirm many uploads in the background' })
  async multiConfirm(@CurrentActor() actor: AccountActor, @Params(MultiConfirmDto) { confirmUrls }: MultiConfirmDto) {
    return presentTask(await this.multiConfirms.start(actor, confirmUrls.map(uploadOf)));
  }
}

function commandOf(params: CreateUploadDto): CreateUpload {
  return {
    path: params.path,
    overwrite: params.overwrite ?? false,
    expectedVersionNo: params.version,
    createParents: params.createDirs ?? true,
    ...newFile(params),
  };
}
