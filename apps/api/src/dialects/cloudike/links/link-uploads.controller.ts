import { AppConfig } from '#libs/config';
import { type CreateUpload, UploadService } from '#libs/files';
import { LinkUsage } from '#libs/links';

import { type Caller, CloudikeController, CurrentCaller, Params, Reply, Route, UrlSegment } from '../http/index.js';
import { NodeWire } from '../presenters/node-wire.js';
import { confirmUrl } from '../storage/confirm-url.js';
import { newFile } from '../storage/new-file.js';
import { LinkHolder } from './link-holder.js';
import { LinkUploadDto, LinkUploadPartDto } from './links.dto.js';

const ERRORS = { NAME_TAKEN: [409, 'AlreadyExists'], NOT_A_FOLDER: [404, 'NotFound'] } as const;

/** Files that people without an account leave in a folder (contract 11); confirmed by the ordinary confirm_url. */
@CloudikeController('links')
export class LinkUploadsController {
  constructor(
    private readonly holder: LinkHolder,
    private readonly usage: LinkUsage,
    private readonly uploads: UploadService,
    private readonly config: AppConfig,
    private readonly wire: NodeWire,
  ) {}

  @Route(['links/file_create/<hash>', 'links/upload_folders/file_create/<hash>'], {
    auth: 'public',
    head: false,
    summary: 'Open an upload into a published folder; 201 with metadata when the content is known already',
    errors: ERRORS,
  })
  async create(@UrlSegment('hash') hash: string, @Params(LinkUploadDto) params: LinkUploadDto, @CurrentCaller() caller: Caller) {
    const opened = await this.holder.forUpload(hash, params, caller);
    const command = commandOf(params);
    const created = await this.uploads.create(opened.guest, command);
    await this.usage.uploadBegun(opened);
    if (created.kind === 'deduplicated') return Reply.json(201, await this.wire.node(opened.guest, created.node));
    const { url, method, headers, tempPath } = created;
    return {
      url,
      method,
      headers,
      parameters: {},
      confirm_url: confirmUrl(this.config.http.publicUrl, 'confirm', opened.guest.issuerId, command, created),
      ...(tempPath === undefined ? {} : { temp_path: tempPath }),
    };
  }

  @Route(['links/file_create_part/<hash>', 'links/upload_folders/file_create_part/<hash>'], {
    auth: 'public',
    head: false,
    summary: 'Where one part of a multipart upload goes',
  })
  async createPart(@UrlSegment('hash') hash: string, @Params(LinkUploadPartDto) params: LinkUploadPartDto, @CurrentCaller() caller: Caller) {
    const { guest } = await this.holder.forUpload(hash, params, caller);
    const { url, method, headers } = await this.uploads.createPart(guest, { tempPath: params.tempPath, partNumber: params.partNum });
    return { url, method, headers, parameters: [] };
  }
}

/** A guest never replaces anything, whatever his program asks for, and makes no folders. */
function commandOf(params: LinkUploadDto): CreateUpload {
  return { path: params.path, overwrite: false, createParents: false, ...newFile(params) };
}
