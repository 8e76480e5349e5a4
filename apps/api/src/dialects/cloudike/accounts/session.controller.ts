import { LoginService, OauthService, type Session, SessionService, type TokenWish } from '#libs/accounts';
import type { AccountActor } from '#libs/kernel';
import { OfferService } from '#libs/settings';
import { OidcSignIn } from '#libs/sign-in';

import { type Caller, CloudikeController, CurrentActor, CurrentCaller, Header, Params, Reply, Route } from '../http/index.js';
import { basicUserPass } from './basic-user-pass.js';
import { AuthorizeDto, LoginByKeyDto, LoginByPhoneDto, LoginDto, OauthConfirmDto, OauthUrlDto, OtpDto, type TokenWishDto } from './session.dto.js';
import { presentSession } from './session.presenter.js';

const wish = (params: TokenWishDto): TokenWish => ({ permanent: params.permanentAuth ?? false, deviceDescription: params.deviceDescription });

/** Proof of identity -> token, and back (contract 2, 13 and 15). */
@CloudikeController('accounts')
export class SessionController {
  constructor(
    private readonly logins: LoginService,
    private readonly sessions: SessionService,
    private readonly oauth: OauthService,
    private readonly providers: OidcSignIn,
    private readonly offers: OfferService,
  ) {}

  @Route('accounts/login', { auth: 'public', audit: 'sign-in', head: false, summary: 'Sign in by login and password, or by a one-time key' })
  async login(@Params(LoginDto) params: LoginDto, @CurrentCaller() caller: Caller) {
    return this.present(await this.logins.login({ ...params, ...wish(params) }, caller));
  }

  @Route('accounts/login_by_phone', { auth: 'public', audit: 'sign-in', summary: 'Sign in by phone number and password' })
  async loginByPhone(@Params(LoginByPhoneDto) params: LoginByPhoneDto, @CurrentCaller() caller: Caller) {
    return this.present(await this.logins.byPassword({ phone: params.phone, password: params.password, otp: params.otp, ...wish(params) }, caller));
  }

  @Route('accounts/login_by_key', { auth: 'public', audit: 'sign-in', head: false, summary: 'Sign in by a one-time key' })
  async loginByKey(@Params(LoginByKeyDto) params: LoginByKeyDto, @CurrentCaller() caller: Caller) {
    return this.present(await this.logins.byKey(params.key, wish(params), caller, params.otp));
  }

  @Route('accounts/generate_login_key', { auth: 'account', audit: 'change', summary: 'A key that signs in once within ten minutes' })
  async generateLoginKey(@CurrentActor() actor: AccountActor) {
    return [actor.accountId, await this.logins.generateKey(actor)];
  }

  @Route('request_token', { auth: 'public', audit: 'sign-in', summary: 'A token for HTTP Basic credentials' })
  async requestToken(@Header('authorization') authorization: string | undefined, @CurrentCaller() caller: Caller, @Params(OtpDto) { otp }: OtpDto) {
    return this.present(await this.logins.byBasic(basicUserPass(authorization), caller, otp));
  }

  @Route('accounts/logout', { auth: 'account', enrols: true, audit: 'change', summary: 'Remove the token of this request' })
  async logout(@CurrentActor() actor: AccountActor) {
    await this.sessions.close(actor);
    return { logout: true };
  }

  @Route('accounts/oauth_url', { auth: 'public', audit: 'change', summary: 'Open a sign-in by redirect' })
  async oauthUrl(@Params(OauthUrlDto) params: OauthUrlDto, @CurrentCaller() { ip }: Caller) {
    const { oauthCallback: callback, clientId, companyId, domain } = params;
    const request =
      companyId === undefined && !domain
        ? await this.oauth.request({ callback, clientId, ...wish(params), ip })
        : await this.providers.request({ companyId, domain }, callback, clientId, { ...wish(params), ip });
    return { authorize_url: request.authorizeUrl, request_token: request.requestToken };
  }

  @Route('accounts/authorize', {
    auth: 'public',
    audit: 'sign-in',
    head: false,
    summary: 'Login and password of a sign-in by redirect; answers a redirect to the callback',
  })
  async authorize(@Params(AuthorizeDto) params: AuthorizeDto, @CurrentCaller() caller: Caller) {
    return Reply.redirect(await this.oauth.authorize(params.requestToken, params, caller));
  }

  @Route('accounts/oauth_confirm', { auth: 'public', audit: 'sign-in', head: false, summary: 'Exchange token and verifier of a sign-in by redirect' })
  async oauthConfirm(@Params(OauthConfirmDto) params: OauthConfirmDto, @CurrentCaller() caller: Caller) {
    return this.present(await this.oauth.confirm(params.oauthToken, params.oauthVerifier, caller, params.otp));
  }

  private async present(session: Session) {
    return presentSession(session, await this.offers.dueUrl(session.accountId));
  }
}
