import type { AccountActor } from '#libs/kernel';
import { SoftService, type SoftUpdate, type SoftVersion } from '#libs/soft';

import { CloudikeController, CurrentActor, OptionalActor, Params, Route } from '../http/index.js';
import { PlatformDto, PlatformFilterDto, SetUpdateDto, SetVersionDto } from './soft.dto.js';

/** Versions and updates of client programs (contract 7). */
@CloudikeController('soft')
export class SoftController {
  constructor(private readonly soft: SoftService) {}

  @Route('soft/get_version', { auth: 'optional', summary: 'The newest version of the program of a platform' })
  async version(@OptionalActor() actor: AccountActor | null, @Params(PlatformDto) { platform }: PlatformDto) {
    const { competition: _competition, ...version } = presentVersion(await this.soft.version(actor, platform));
    return { version };
  }

  @Route('soft/set_version', { auth: 'account', head: false, summary: 'Set a version' })
  async setVersion(@CurrentActor() actor: AccountActor, @Params(SetVersionDto) { description = '', critical = false, ...rest }: SetVersionDto) {
    return presentVersion(await this.soft.setVersion(actor, { ...rest, description, critical }));
  }

  @Route('soft/list_version', { auth: 'account', summary: 'Versions, newest first' })
  async versions(@CurrentActor() actor: AccountActor, @Params(PlatformFilterDto) { platform }: PlatformFilterDto) {
    return (await this.soft.versions(actor, platform)).map(presentVersion);
  }

  @Route('soft/get_update', { auth: 'optional', summary: 'The update of the program of a platform' })
  async update(@OptionalActor() actor: AccountActor | null, @Params(PlatformDto) { platform }: PlatformDto) {
    const { version, link } = await this.soft.update(actor, platform);
    return Object.fromEntries([[version, link]]);
  }

  @Route('soft/set_update', { auth: 'account', head: false, summary: 'Set an update' })
  async setUpdate(@CurrentActor() actor: AccountActor, @Params(SetUpdateDto) { linkExp = '', versionExp = '', ...rest }: SetUpdateDto) {
    return presentUpdate(await this.soft.setUpdate(actor, { ...rest, linkExp, versionExp }));
  }

  @Route('soft/list_updates', { auth: 'account', summary: 'Updates, newest first' })
  async updates(@CurrentActor() actor: AccountActor, @Params(PlatformFilterDto) { platform }: PlatformFilterDto) {
    return (await this.soft.updates(actor, platform)).map(presentUpdate);
  }
}

function presentVersion({ link, platform, version, critical, description, competition }: SoftVersion) {
  return { link, platform, version, critical, description, competition };
}

function presentUpdate({ linkBase, competition, versionExp, versionBase, platform, linkExp }: SoftUpdate) {
  return { link_base: linkBase, competition, version_exp: versionExp, version_base: versionBase, platform, link_exp: linkExp };
}
