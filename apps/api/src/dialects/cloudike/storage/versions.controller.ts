import type { AccountActor } from '#libs/kernel';
import { VersionService } from '#libs/versions';

import { CloudikeController, CurrentActor, Params, PathTail, Route } from '../http/index.js';
import { NodeWire } from '../presenters/node-wire.js';
import { presentUpdate, presentVersion } from '../presenters/version.presenter.js';
import { PathVersionDto, VersionsDto } from './versions.dto.js';

@CloudikeController('files')
export class VersionsController {
  constructor(
    private readonly versions: VersionService,
    private readonly wire: NodeWire,
  ) {}

  @Route('files/versions/<path>', { auth: 'account', summary: 'Versions of a file, newest first' })
  async list(@CurrentActor() actor: AccountActor, @PathTail() path: string[], @Params(VersionsDto) { skip = 0, limit = 0 }: VersionsDto) {
    return (await this.versions.list(actor, { node: { path }, skip, limit })).map(presentVersion);
  }

  @Route('files/versions_to_update', { auth: 'account', summary: 'Versions that a client lacks, oldest first' })
  async toUpdate(@CurrentActor() actor: AccountActor, @Params(PathVersionDto) { path, version }: PathVersionDto) {
    return (await this.versions.toUpdate(actor, { node: { path }, versionNo: version })).map(presentUpdate);
  }

  @Route('files/restore', { auth: 'account', head: false, summary: 'Make an earlier version current again, as a new version' })
  async restore(@CurrentActor() actor: AccountActor, @Params(PathVersionDto) { path, version }: PathVersionDto) {
    return this.wire.node(actor, await this.versions.restore(actor, { node: { path }, versionNo: version }));
  }
}
