import { AccountLoginsService, AccountValueService, Devices, ProfileService, SessionService } from '#libs/accounts';
import { AccountOverview } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { CloudikeController, CurrentActor, IsWiped, ok, Params, Route } from '../http/index.js';
import { presentAccount } from './account.presenter.js';
import {
  AddEmailDto,
  AddPhoneDto,
  BasicPairDto,
  ChangeProfileDto,
  GetAccountDto,
  GetValueDto,
  ListTokensDto,
  RemoveLoginDto,
  SetValueDto,
  TokenIdDto,
} from './profile.dto.js';
import { presentProfileChange } from './profile.presenter.js';
import { presentToken } from './session.presenter.js';

/** What people see and change of their own account (contract 13 and 15). */
@CloudikeController('accounts')
export class ProfileController {
  constructor(
    private readonly overview: AccountOverview,
    private readonly profiles: ProfileService,
    private readonly sessions: SessionService,
    private readonly devices: Devices,
    private readonly logins: AccountLoginsService,
    private readonly values: AccountValueService,
  ) {}

  @Route('accounts/get', { auth: 'account', summary: 'The account, its quota and what it stores' })
  async get(@CurrentActor() actor: AccountActor, @Params(GetAccountDto) { userId, storageStat }: GetAccountDto) {
    return presentAccount(await this.overview.get(actor, { userId, fileTypes: storageStat ?? false }));
  }

  @Route('accounts/kt_get_account', { auth: 'account', summary: 'The account of an address, for its owner and its administrators' })
  async ofAddress(@CurrentActor() actor: AccountActor, @Params(AddEmailDto) { email }: AddEmailDto) {
    return presentAccount(await this.overview.get(actor, { userId: await this.logins.administrated(actor, email), fileTypes: false }));
  }

  @Route('accounts/change_profile', { auth: 'account', audit: 'change', summary: 'Change name, password, language, time zone or extra info' })
  async change(@CurrentActor() actor: AccountActor, @Params(ChangeProfileDto) params: ChangeProfileDto) {
    return presentProfileChange(await this.profiles.change(actor, params));
  }

  @Route(['accounts/permanent_tokens', 'accounts/tokens'], { auth: 'account', wiped: true, summary: 'The tokens of the account' })
  async tokens(@CurrentActor() actor: AccountActor, @IsWiped() wiped: boolean, @Params(ListTokensDto) params: ListTokensDto) {
    if (wiped) return (await this.devices.ownState(actor)).map(presentToken);
    return (await this.sessions.list(actor, { includeTemporary: params.includeNotPermanent ?? false })).map(presentToken);
  }

  @Route(['accounts/remove_permanent_token', 'accounts/remove_token'], {
    auth: 'account',
    audit: 'change',
    summary: 'End one of the tokens of the account',
  })
  async removeToken(@CurrentActor() actor: AccountActor, @Params(TokenIdDto) { tokenId }: TokenIdDto) {
    await this.sessions.remove(actor, tokenId);
    return ok('The token was removed.');
  }

  @Route('accounts/cancel_token_remote_wipe', { auth: 'account', head: false, summary: 'Take the order to wipe a device back' })
  async cancelWipe(@CurrentActor() actor: AccountActor, @Params(TokenIdDto) { tokenId }: TokenIdDto) {
    await this.devices.cancelOwnWipe(actor, tokenId);
    return ok('The device will not be wiped.');
  }

  @Route('accounts/token_wiped', { auth: 'account', wiped: true, head: false, summary: 'A device says that it is wiped' })
  async wiped(@CurrentActor() actor: AccountActor) {
    await this.devices.confirmWiped(actor);
    return ok('The device is wiped.');
  }

  @Route('accounts/remove_login', { auth: 'account', audit: 'change', summary: 'Remove one of the logins of the account' })
  async removeLogin(@CurrentActor() actor: AccountActor, @Params(RemoveLoginDto) { login }: RemoveLoginDto) {
    return { login: await this.logins.remove(actor, login) };
  }

  @Route('accounts/add_email', {
    auth: 'account',
    audit: 'change',
    summary: 'Add an address; its mail must be answered',
    errors: { LOGIN_TAKEN: [404, 'AlreadyExists'] },
  })
  async addEmail(@CurrentActor() actor: AccountActor, @Params(AddEmailDto) { email }: AddEmailDto) {
    return { login: await this.logins.addEmail(actor, email) };
  }

  @Route('accounts/add_phone', { auth: 'account', audit: 'change', summary: 'Add a phone number', errors: { LOGIN_TAKEN: [404, 'AlreadyExists'] } })
  async addPhone(@CurrentActor() actor: AccountActor, @Params(AddPhoneDto) { phone }: AddPhoneDto) {
    return { login: await this.logins.addPhone(actor, phone) };
  }

  @Route('accounts/create_basic_auth', { auth: 'account', audit: 'change', summary: 'Make the user name and password for HTTP Basic' })
  async createBasicAuth(@CurrentActor() actor: AccountActor, @Params(BasicPairDto) params: BasicPairDto) {
    return this.logins.createPair(actor, params);
  }

  @Route('accounts/get_basic_auth', { auth: 'account', summary: 'The user name for HTTP Basic; its password is shown only when it is made' })
  async getBasicAuth(@CurrentActor() actor: AccountActor) {
    return { login: await this.logins.pairLogin(actor), password: '' };
  }

  @Route('accounts/create_contacts_sync_auth', {
    auth: 'account',
    audit: 'change',
    summary: 'Make the user name and password for the synchronisation of contacts',
  })
  async createContactsAuth(@CurrentActor() actor: AccountActor, @Params(BasicPairDto) params: BasicPairDto) {
    return this.logins.createPair(actor, params, 'contacts_sync');
  }

  @Route('accounts/get_contacts_sync_auth', { auth: 'account', summary: 'The user name for the synchronisation of contacts' })
  async getContactsAuth(@CurrentActor() actor: AccountActor) {
    return { login: await this.logins.pairLogin(actor, 'contacts_sync'), password: '' };
  }

  @Route('accounts/set_value', { auth: 'account', audit: 'change', summary: 'Keep a value under a key' })
  async setValue(@CurrentActor() actor: AccountActor, @Params(SetValueDto) { key, value }: SetValueDto) {
    return { [await this.values.set(actor, key, value)]: true };
  }

  @Route('accounts/get_value', { auth: 'account', summary: 'The value of a key, or all values' })
  async getValue(@CurrentActor() actor: AccountActor, @Params(GetValueDto) { key }: GetValueDto) {
    return this.values.read(actor, key);
  }
}
