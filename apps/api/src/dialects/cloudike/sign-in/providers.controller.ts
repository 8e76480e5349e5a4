import type { Session } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { DomainError } from '#libs/kernel';
import { OfferService } from '#libs/settings';
import { DirectorySignIn, keptName, OidcSignIn, ROUND_TRIP_MS } from '#libs/sign-in';

import { presentSession } from '../accounts/session.presenter.js';
import { wireError } from '../http/errors.js';
import { type Caller, CloudikeController, CurrentCaller, Header, Params, Reply, Route } from '../http/index.js';
import { GoogleConfirmDto, GoogleUrlDto, LoginByLdapDto, ProviderAnswerDto, StartDto } from './sign-in.dto.js';

const SIGN_IN = { auth: 'public', head: false, audit: 'sign-in' } as const;

/** Sign-in by those who know the person: Google, the identity provider or the directory of a company (contract 15 and 22). */
@CloudikeController('sign-in')
export class ProvidersController {
  constructor(
    private readonly oidc: OidcSignIn,
    private readonly directory: DirectorySignIn,
    private readonly offers: OfferService,
    private readonly config: AppConfig,
  ) {}

  @Route('accounts/login_by_ldap', { ...SIGN_IN, summary: "Sign in by name and password of the company's directory" })
  async loginByLdap(@Params(LoginByLdapDto) { permanentAuth, ...params }: LoginByLdapDto, @CurrentCaller() caller: Caller) {
    return this.present(await this.directory.signIn({ ...params, permanent: permanentAuth ?? false }, caller));
  }

  @Route('accounts/google_url', { auth: 'public', audit: 'change', summary: 'Open a sign-in at Google' })
  async googleUrl(@Params(GoogleUrlDto) { oauthCallback, permanentAuth, deviceDescription }: GoogleUrlDto, @CurrentCaller() { ip }: Caller) {
    const { authorizeUrl, requestToken } = await this.oidc.requestGoogle(oauthCallback || null, {
      permanent: permanentAuth ?? false,
      deviceDescription,
      ip,
    });
    return { url: authorizeUrl, authorize_url: authorizeUrl, request_token: requestToken };
  }

  @Route('accounts/google_confirm', { ...SIGN_IN, summary: 'Where Google sends the browser back to; or sign in by an ID token of Google' })
  async googleConfirm(
    @Params(GoogleConfirmDto) { token, state, permanentAuth, deviceDescription, otp, ...answer }: GoogleConfirmDto,
    @Header('cookie') cookies: string | undefined,
    @CurrentCaller() caller: Caller,
  ) {
    if (token) {
      const wish = { permanent: permanentAuth ?? false, deviceDescription, otp };
      return Reply.json(200, await this.present(await this.oidc.byGoogleToken(token, wish, caller)));
    }
    if (state === undefined) throw new DomainError('INVALID_ARGUMENT', 'One of "token" and "state" is required.');
    return this.finish('google', { ...answer, state }, cookies, caller);
  }

  @Route('accounts/oidc_start', { auth: 'public', summary: 'Go to the identity provider of a sign-in by redirect' })
  async start(@Params(StartDto) { requestToken }: StartDto) {
    const { location, name, kept } = await this.oidc.start(requestToken);
    return Reply.redirect(location, { 'Set-Cookie': this.cookie(name, kept, ROUND_TRIP_MS / 1_000) });
  }

  @Route('accounts/oidc_callback', { ...SIGN_IN, summary: 'Where the identity provider of a company sends the browser back to' })
  callback(@Params(ProviderAnswerDto) answer: ProviderAnswerDto, @Header('cookie') cookies: string | undefined, @CurrentCaller() caller: Caller) {
    return this.finish('company', answer, cookies, caller);
  }

  private async finish(from: 'company' | 'google', answer: ProviderAnswerDto, cookies: string | undefined, caller: Caller): Promise<Reply> {
    const name = keptName(answer.state);
    const { state, code, iss, error, errorDescription } = answer;
    const finished = await this.oidc.finish(from, { state, code, iss, error, errorDescription }, cookieOf(cookies, name), caller);
    const forget = { 'Set-Cookie': this.cookie(name, '', 0) };
    if ('location' in finished) return Reply.redirect(finished.location, forget);
    if ('session' in finished) return Reply.json(200, await this.present(finished.session), forget);
    return Reply.json(401, secondFactorDue(finished), forget);
  }

  /** Lax: it comes along when the provider sends the browser back, and with no request of other pages. */
  private cookie(name: string, value: string, maxAgeSeconds: number): string {
    const { protocol, pathname } = new URL(this.config.http.publicUrl);
    const path = `${pathname.replace(/\/$/, '')}/api/`;
    return `${name}=${value}; Path=${path}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${protocol === 'https:' ? '; Secure' : ''}`;
  }

  private async present(session: Session) {
    return presentSession(session, await this.offers.dueUrl(session.accountId));
  }
}

/** As the error, with what accounts/oauth_confirm takes beside the code: the way back from the provider cannot be gone twice. */
function secondFactorDue({ requestToken, verifier }: { readonly requestToken: string; readonly verifier: string }) {
  const { code } = wireError('SECOND_FACTOR_REQUIRED');
  const description = 'This account asks for a second factor: call accounts/oauth_confirm with these and the code as "otp".';
  return { code, description, oauth_token: requestToken, oauth_verifier: verifier };
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const found = header
    ?.split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}
