import { UseFilters } from '@nestjs/common';

import { Oauth1Service, type SignedCredentials, type SignedRequest } from '#libs/accounts';
import { isDomainError } from '#libs/kernel';

import { AuthorizeDto } from '../accounts/session.dto.js';
import { type Caller, CloudikeController, CurrentCaller, Header, Params, Reply, Route, Signed } from '../http/index.js';
import { AuthorizeFilter, AuthorizeRefusal, verifierPage } from './authorize-page.js';

/** OAuth 1.0 for programs that the operator has named (contract 15 and 22, RFC 5849). */
@CloudikeController('sign-in')
export class Oauth1Controller {
  constructor(private readonly oauth1: Oauth1Service) {}

  @Route('oauth/request_token', { auth: 'public', audit: 'change', head: false, summary: 'Temporary credentials, for a signed request (OAuth 1.0)' })
  async requestToken(@Signed() request: SignedRequest, @CurrentCaller() caller: Caller) {
    return form(await this.oauth1.requestToken(request, caller), { oauth_callback_confirmed: 'true' });
  }

  @Route('oauth/authorize', {
    auth: 'public',
    audit: 'sign-in',
    head: false,
    summary: 'Login and password for temporary credentials (OAuth 1.0): a page for browsers; answers a redirect to the callback',
  })
  @UseFilters(AuthorizeFilter)
  async authorize(@Params(AuthorizeDto) params: AuthorizeDto, @CurrentCaller() caller: Caller, @Header('accept') accept: string | undefined) {
    const grant = await this.oauth1.pending(params.requestToken);
    const browses = accept?.includes('text/html') ?? false;
    try {
      const { verifier, location } = await this.oauth1.authorize(params.requestToken, params, caller);
      if (location !== null) return Reply.redirect(location);
      if (!browses) return { oauth_token: params.requestToken, oauth_verifier: verifier };
      const { body, headers } = verifierPage(verifier);
      return Reply.text('text/html; charset=utf-8', body, headers);
    } catch (error) {
      if (!browses || !isDomainError(error)) throw error;
      const first = error.code === 'INVALID_ARGUMENT' && params.login === undefined && params.password === undefined;
      throw new AuthorizeRefusal(error, grant, first);
    }
  }

  @Route('oauth/access_token', {
    auth: 'public',
    audit: 'sign-in',
    head: false,
    summary: 'The access token, for a request signed with temporary credentials (OAuth 1.0)',
  })
  async accessToken(@Signed() request: SignedRequest, @CurrentCaller() caller: Caller) {
    return form(await this.oauth1.accessToken(request, caller));
  }
}

function form({ token, secret }: SignedCredentials, more: Readonly<Record<string, string>> = {}): Reply {
  const body = new URLSearchParams({ oauth_token: token, oauth_token_secret: secret, ...more });
  return Reply.text('application/x-www-form-urlencoded', body.toString(), { 'Cache-Control': 'no-store' });
}
