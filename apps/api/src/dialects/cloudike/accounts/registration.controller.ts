import { AccountLoginsService, RecoveryService, RegistrationService } from '#libs/accounts';
import { SignUpService } from '#libs/companies';
import { AccountOverview } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { OfferService } from '#libs/settings';

import { type Caller, CloudikeController, CurrentCaller, ok, OptionalActor, Params, Route } from '../http/index.js';
import { presentCheck, presentSignedUp } from './account.presenter.js';
import { ApproveDto, CreateAccountDto, CreateByPhoneDto, HashDto, LoginNameDto } from './registration.dto.js';
import { presentSession } from './session.presenter.js';

/** How accounts come into being, are confirmed and recovered (contract 13 and 15). */
@CloudikeController('accounts')
export class RegistrationController {
  constructor(
    private readonly signUps: SignUpService,
    private readonly registration: RegistrationService,
    private readonly recovery: RecoveryService,
    private readonly logins: AccountLoginsService,
    private readonly overview: AccountOverview,
    private readonly offers: OfferService,
  ) {}

  @Route('accounts/create', { auth: 'optional', audit: 'change', summary: 'Register', errors: { LOGIN_TAKEN: [404, 'AlreadyExists'] } })
  async create(@OptionalActor() actor: AccountActor | null, @Params(CreateAccountDto) params: CreateAccountDto, @CurrentCaller() caller: Caller) {
    const { expired: expiresMs, userMobileRestriction: mobileRestriction, permission, ...rest } = params;
    const command = { ...rest, expiresMs: expiresMs || undefined, mobileRestriction, memberIsAdmin: permission === 'admin' };
    const made = await this.signUps.signUp(actor, command, caller);
    return presentSignedUp(await this.overview.of(made.profile), made.session);
  }

  @Route('accounts/create_by_phone', {
    auth: 'public',
    audit: 'change',
    summary: 'Register with a phone number',
    errors: { LOGIN_TAKEN: [404, 'AlreadyExists'] },
  })
  async createByPhone(@Params(CreateByPhoneDto) params: CreateByPhoneDto, @CurrentCaller() caller: Caller) {
    const made = await this.signUps.signUp(null, { ...params, name: params.name || params.phone }, caller);
    return presentSignedUp(await this.overview.of(made.profile), made.session);
  }

  @Route('accounts/approve', { auth: 'public', audit: 'sign-in', head: false, summary: 'Confirm an address by the token of its mail' })
  async approve(@Params(ApproveDto) { hash, otp }: ApproveDto, @CurrentCaller() caller: Caller) {
    const session = await this.registration.approve(hash, caller, otp);
    return presentSession(session, await this.offers.dueUrl(session.accountId));
  }

  @Route('accounts/resend_message_for_approve', { auth: 'public', audit: 'change', summary: 'Send the confirmation mail again' })
  async resend(@Params(LoginNameDto) { login }: LoginNameDto) {
    await this.registration.resend(login);
    return ok('The message was sent.');
  }

  @Route('accounts/getinvited', { auth: 'public', summary: 'The login that an invitation was sent to' })
  async getInvited(@Params(HashDto) { hash }: HashDto) {
    return { login: await this.registration.invitedLogin(hash) };
  }

  @Route('accounts/recover_lost_password', { auth: 'public', audit: 'change', summary: 'Send a link that lets in once to set a new password' })
  async recover(@Params(LoginNameDto) { login }: LoginNameDto) {
    await this.recovery.recover(login);
    return ok('The message was sent.');
  }

  @Route('accounts/check', { auth: 'public', summary: 'Whether an account with this login exists' })
  async check(@Params(LoginNameDto) { login }: LoginNameDto) {
    return presentCheck(login, await this.logins.lookUp(login));
  }
}
