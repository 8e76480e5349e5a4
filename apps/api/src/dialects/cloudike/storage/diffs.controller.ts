import { AppConfig } from '#libs/config';
import { DiffService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { CloudikeController, CurrentActor, OptionalActor, Params, PathTail, Route } from '../http/index.js';
import { NodeWire } from '../presenters/node-wire.js';
import { confirmUrl } from './confirm-url.js';
import { CreateFromDiffDto, GetDiffDto } from './diffs.dto.js';
import { ConfirmUploadDto } from './uploads.dto.js';

const MOVED_ON = { NAME_TAKEN: [409, 'VersionConflict'] } as const;

/** New versions sent and fetched as deltas (VCDIFF). */
@CloudikeController('files')
export class DiffsController {
  constructor(
    private readonly diffs: DiffService,
    private readonly config: AppConfig,
    private readonly wire: NodeWire,
  ) {}

  @Route('files/create_from_diff', {
    auth: 'account',
    head: false,
    summary: 'Open an upload of a delta against the current version',
    errors: MOVED_ON,
  })
  async create(@CurrentActor() actor: AccountActor, @Params(CreateFromDiffDto) params: CreateFromDiffDto) {
    const { path, version, checksum, created, modified, deviceId, deviceReference } = params;
    const dates = { clientCreatedMs: created, clientModifiedMs: modified };
    const opened = await this.diffs.createFromDiff(actor, { path, versionNo: version, baseCrc32: checksum, ...dates, deviceId, deviceReference });
    const facts = { path, expectedVersionNo: version, ...dates };
    return {
      url: opened.url,
      method: opened.method,
      headers: opened.headers,
      parameters: {},
      confirm_url: confirmUrl(this.config.http.publicUrl, 'confirm_from_diff', actor.accountId, facts, opened),
    };
  }

  @Route('files/confirm_from_diff/<path>', {
    auth: 'optional',
    head: false,
    summary: 'Make the new version of a delta that has arrived',
    errors: MOVED_ON,
  })
  async confirm(@OptionalActor() actor: AccountActor | null, @Params(ConfirmUploadDto) { userId, tempName }: ConfirmUploadDto) {
    return this.wire.node(actor, await this.diffs.confirmFromDiff({ accountId: userId, tempName, actor }));
  }

  @Route('files/get_diff/<path>', { auth: 'account', summary: 'A URL that gives the delta from a version to the current one' })
  async get(@CurrentActor() actor: AccountActor, @PathTail() path: string[], @Params(GetDiffDto) { version }: GetDiffDto) {
    const { url, node, sizeBytes } = await this.diffs.getDiff(actor, { node: { path }, fromVersionNo: version });
    return { url, method: 'GET', path: node.path, version: node.versionNo, size: sizeBytes };
  }
}
