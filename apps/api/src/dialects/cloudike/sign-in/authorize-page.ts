import { type ArgumentsHost, Catch, Injectable } from '@nestjs/common';
import type { Response } from 'express';

import type { PendingGrant } from '#libs/accounts';
import { DomainError } from '#libs/kernel';

import { html } from '../../../public-links/html.js';
import { page, PAGE_HEADERS, pageHeadersTo } from '../../../public-links/page.js';
import { CloudikeErrorFilter } from '../http/error.filter.js';
import { wireError } from '../http/errors.js';

const NO_STORE = { 'Cache-Control': 'no-store' };

/** A refused authorization whose person sits at a browser: the form is shown again. `first`: nothing was typed yet. */
export class AuthorizeRefusal extends DomainError {
  constructor(
    readonly refusal: DomainError,
    readonly grant: PendingGrant,
    readonly first: boolean,
  ) {
    super(refusal.code, refusal.message, refusal.details, { cause: refusal });
  }
}

/** Answers such refusals by a page, all others as everywhere. */
@Catch()
@Injectable()
export class AuthorizeFilter extends CloudikeErrorFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    if (!(error instanceof AuthorizeRefusal) || error.code === 'INTERNAL') {
      super.catch(error, host);
      return;
    }
    const { grant, first, message } = error;
    const headers = { ...(grant.callback === null ? PAGE_HEADERS : pageHeadersTo(grant.callback)), ...NO_STORE };
    const response = host.switchToHttp().getResponse<Response>();
    response
      .status(first ? 200 : wireError(error.code).status)
      .set(headers)
      .send(formPage(grant, first ? null : message));
  }
}

/** The page on which a person signs in and lets a program in. Its form goes back to the URL of the page. */
function formPage({ consumer }: PendingGrant, problem: string | null): string {
  return page(
    'Allow access',
    html`<h1>Allow "${consumer}" to use your account?</h1>
      <p class="note">Whoever signs in here gives this program access to the files of the account until its token is removed.</p>
      ${problem === null ? null : html`<p class="error">${problem}</p>`}
      <form method="post">
        <p>
          <label>Login<br /><input name="login" autocomplete="username" required /></label>
        </p>
        <p>
          <label>Password<br /><input name="password" type="password" autocomplete="current-password" required /></label>
        </p>
        <p>
          <label>Code of the second factor, if it is on<br /><input name="otp" autocomplete="one-time-code" /></label>
        </p>
        <button>Sign in and allow</button>
      </form>`,
  );
}

/** The page from which a person carries the verifier over to a program that cannot be called back. */
export function verifierPage(verifier: string): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const body = html`<h1>Access is allowed</h1>
    <p>Give this code to the program within five minutes:</p>
    <p><code>${verifier}</code></p>`;
  return { body: page('Access is allowed', body), headers: { ...PAGE_HEADERS, ...NO_STORE } };
}
