import {
  AccountAccess,
  type AccountProfile,
  AccountStates,
  Impersonation,
  RoleService,
  UserInviter,
  type UserOrder,
  UserSearch,
} from '#libs/accounts';
import { UserEditor } from '#libs/administration';
import { AccountDeletion } from '#libs/erasing';
import { AccountOverview } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { presentAccount } from '../accounts/account.presenter.js';
import { CloudikeController, CurrentActor, Params, Route } from '../http/index.js';
import {
  ActAsDto,
  AssignRoleDto,
  BlockUserDto,
  DeleteUserDto,
  EditUserDto,
  FindUsersDto,
  InviteUserDto,
  NamedUserDto,
  SetPasswordDto,
  UserIdDto,
} from './admin.dto.js';
import { presentBlockedLogin } from './admin.presenter.js';

// A map: a client may name any text, also `constructor`.
const ORDERS: ReadonlyMap<string, UserOrder> = new Map([
  ['userid', 'userId'],
  ['user_id', 'userId'],
  ['name', 'name'],
  ['registration_date', 'registered'],
  ['last_login', 'lastLogin'],
  ['deleted_date', 'deleted'],
  ['storage_size', 'stored'],
  ['role', 'role'],
  ['company_id', 'companyId'],
]);
const DEFAULT_PAGE = 20;

/** People, for administrators of the system; two of the calls also for those of a company (contract 2). */
@CloudikeController('admin')
export class AdminUsersController {
  constructor(
    private readonly states: AccountStates,
    private readonly deletion: AccountDeletion,
    private readonly access: AccountAccess,
    private readonly roles: RoleService,
    private readonly impersonation: Impersonation,
    private readonly inviter: UserInviter,
    private readonly search: UserSearch,
    private readonly editor: UserEditor,
    private readonly overview: AccountOverview,
  ) {}

  @Route('admin/accounts_disable', { auth: 'account', head: false, summary: 'Refuse a user from now on, and end his tokens' })
  async disable(@CurrentActor() actor: AccountActor, @Params(BlockUserDto) { userId, reason }: BlockUserDto) {
    return this.present(await this.states.disable(actor, userId, reason ?? ''));
  }

  @Route('admin/accounts_enable', { auth: 'account', head: false, summary: 'Let a user in again' })
  async enable(@CurrentActor() actor: AccountActor, @Params(BlockUserDto) { userId }: BlockUserDto) {
    return this.present(await this.states.enable(actor, userId));
  }

  @Route('admin/accounts_delete', {
    auth: 'account',
    head: false,
    summary: 'Delete a user, who can be restored; or erase all he has, in the background',
    errors: { TASK_RUNNING: [409, 'TaskRunning'] },
  })
  async delete(@CurrentActor() actor: AccountActor, @Params(DeleteUserDto) { userId, immediately, migrateFile, migrateLogin }: DeleteUserDto) {
    const heir = migrateFile ? (migrateLogin ?? '') : null;
    const { profile, taskId } = await this.deletion.delete(actor, { accountId: userId, immediately, heir });
    return { ...(await this.present(profile)), ...(taskId === null ? {} : { taskid: taskId }) };
  }

  @Route('admin/accounts_restore', { auth: 'account', head: false, summary: 'Bring a deleted user back' })
  async restore(@CurrentActor() actor: AccountActor, @Params(UserIdDto) { userId }: UserIdDto) {
    return this.present(await this.states.restore(actor, userId));
  }

  @Route('admin/accounts_unlock', { auth: 'account', head: false, summary: 'End the lock after too many wrong passwords' })
  async unlock(@CurrentActor() actor: AccountActor, @Params(NamedUserDto) named: NamedUserDto) {
    return this.present(await this.access.unlock(actor, named));
  }

  @Route('admin/accounts_set_password', { auth: 'account', head: false, summary: 'Set the password of a user, or make one up and mail it' })
  async setPassword(@CurrentActor() actor: AccountActor, @Params(SetPasswordDto) { userId, newPassword }: SetPasswordDto) {
    return this.present(await this.access.setPassword(actor, userId, newPassword));
  }

  @Route('admin/accounts_generate_login_key', { auth: 'account', head: false, summary: 'A key that signs a user in once within ten minutes' })
  async generateLoginKey(@CurrentActor() actor: AccountActor, @Params(UserIdDto) { userId }: UserIdDto) {
    return [userId, await this.access.generateKey(actor, userId)];
  }

  @Route('admin/accounts_find_users', { auth: 'account', summary: 'Users of the system, or of the own company' })
  async find(@CurrentActor() actor: AccountActor, @Params(FindUsersDto) params: FindUsersDto) {
    const found = await this.search.find(actor, {
      filter: {
        ...params,
        deletedMs: params.deletedDate,
        blockedMs: params.blockDate,
        registeredFromMs: params.registrationDateFrom,
        registeredToMs: params.registrationDateTo,
        lastLoginFromMs: params.lastLoginFrom,
        lastLoginToMs: params.lastLoginTo,
        storedFromBytes: params.storageSizeFrom,
        storedToBytes: params.storageSizeTo,
      },
      orderBy: ORDERS.get(params.orderField ?? '') ?? 'userId',
      descending: /^(desc|-1)/i.test(params.orderDirection ?? ''),
      offset: params.offset ?? 0,
      limit: params.limit ?? DEFAULT_PAGE,
    });
    const users = (await this.overview.ofMany(found.users)).map(presentAccount);
    return { count: found.count, limit: found.limit, offset: found.offset, users };
  }

  @Route('admin/set_effective_userid', { auth: 'account', head: false, summary: 'Let a token act as another user; the own id ends it' })
  async actAs(@CurrentActor() actor: AccountActor, @Params(ActAsDto) { euserId, token }: ActAsDto) {
    return this.present(await this.impersonation.actAs(actor, euserId, token));
  }

  @Route('admin/assign_role', { auth: 'account', head: false, summary: 'Give a user a role' })
  async assignRole(@CurrentActor() actor: AccountActor, @Params(AssignRoleDto) { userId, role }: AssignRoleDto) {
    return this.present(await this.roles.assign(actor, userId, role));
  }

  @Route('admin/invite_user', { auth: 'account', head: false, summary: 'Invite somebody by mail' })
  async invite(@CurrentActor() actor: AccountActor, @Params(InviteUserDto) { email, invitation, lang }: InviteUserDto) {
    return this.present(await this.inviter.invite(actor, { email, invitation, lang }));
  }

  @Route('admin/edit_user', { auth: 'account', head: false, summary: 'Change quota and region of a user' })
  async edit(@CurrentActor() actor: AccountActor, @Params(EditUserDto) { userId, hardQuotaSize, quotaSize, region }: EditUserDto) {
    return this.present(
      await this.editor.edit(actor, userId, { hardLimitBytes: limitOf(hardQuotaSize), softLimitBytes: limitOf(quotaSize), region }),
    );
  }

  @Route('admin/blocked_logins', { auth: 'account', summary: 'Logins that are locked after too many wrong passwords' })
  async blockedLogins(@CurrentActor() actor: AccountActor) {
    return (await this.access.blockedLogins(actor)).map(presentBlockedLogin);
  }

  private async present(profile: AccountProfile) {
    return presentAccount(await this.overview.of(profile));
  }
}

/** -1 and 0 stand for "not limited". */
function limitOf(bytes: number | undefined): number | null | undefined {
  return bytes === undefined || bytes > 0 ? bytes : null;
}
