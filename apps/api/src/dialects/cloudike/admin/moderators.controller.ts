import { AccountDirectory, RoleService } from '#libs/accounts';
import { type AccountActor, DomainError } from '#libs/kernel';

import { CloudikeController, CurrentActor, ok, Params, Route } from '../http/index.js';
import { NamedUserDto } from './admin.dto.js';
import { presentModerator } from './admin.presenter.js';

/** Moderators, chosen by administrators of the system (contract 2). */
@CloudikeController('admin')
export class ModeratorsController {
  constructor(
    private readonly roles: RoleService,
    private readonly directory: AccountDirectory,
  ) {}

  @Route('moderators/add', { auth: 'account', head: false, summary: 'Make a user a moderator' })
  async add(@CurrentActor() actor: AccountActor, @Params(NamedUserDto) named: NamedUserDto) {
    await this.roles.addModerator(actor, await this.idOf(named));
    return ok('The user is a moderator.');
  }

  @Route('moderators/get', { auth: 'account', summary: 'The moderators' })
  async list(@CurrentActor() actor: AccountActor) {
    return (await this.roles.moderators(actor)).map(presentModerator);
  }

  @Route('moderators/remove', { auth: 'account', head: false, summary: 'Make a moderator a user again' })
  async remove(@CurrentActor() actor: AccountActor, @Params(NamedUserDto) named: NamedUserDto) {
    await this.roles.removeModerator(actor, await this.idOf(named));
    return ok('The user is no moderator any more.');
  }

  /** An unknown login is nobody's id; who may not ask at all is told that first. */
  private async idOf({ userId, login }: NamedUserDto): Promise<number> {
    if (userId !== undefined) return userId;
    if (!login) throw new DomainError('INVALID_ARGUMENT', 'One of user_id and login is required.');
    return (await this.directory.named(login))?.id ?? 0;
  }
}
