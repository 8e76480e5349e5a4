import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import Provider from 'oidc-provider';

/** Somebody whom the provider knows. */
export interface ProviderPerson {
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
  readonly hd?: string;
}

export const CLIENT_ID = 'stowage';
export const CLIENT_SECRET = 'secret-of-the-client';

/** A real OpenID Connect provider on a free port of localhost, that signs whoever `signsIn` names in without asking. */
export class TestIdentityProvider {
  /** Who sits before the browser; null = somebody who refuses. */
  signsIn: string | null = null;
  /** Requests that the provider saw. */
  readonly seen: string[] = [];
  readonly people = new Map<string, ProviderPerson>();

  private constructor(
    private readonly server: Server,
    readonly issuer: string,
  ) {}

  static async start(): Promise<TestIdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TestIdentityProvider(server, `http://localhost:${(server.address() as AddressInfo).port}`);
  }

  /** Opens it for a client with these redirect addresses. */
  open(redirectUris: readonly string[]): void {
    const provider = new Provider(this.issuer, {
      clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [...redirectUris] }],
      pkce: { required: () => true },
      claims: { openid: ['sub'], email: ['email', 'email_verified', 'hd'], profile: ['name'] },
      cookies: { keys: ['test'] },
      features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
      interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
      ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
      findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => Promise.resolve({ sub, ...this.people.get(sub) }) }),
      loadExistingGrant: async (ctx) => {
        const grant = new ctx.oidc.provider.Grant({ clientId: CLIENT_ID, accountId: ctx.oidc.session!.accountId });
        grant.addOIDCScope('openid email profile');
        // what a program asks to have in the ID token itself
        grant.addOIDCClaims(['email', 'email_verified', 'name', 'hd']);
        await grant.save();
        return grant;
      },
    });
    const handle = provider.callback();
    this.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.seen.push(`${request.method} ${request.url}`);
      if (!request.url?.startsWith('/interaction/')) return void handle(request, response);
      const result =
        this.signsIn === null ? { error: 'access_denied', error_description: 'not today' } : { login: { accountId: this.signsIn, remember: false } };
      void provider.interactionFinished(request, response, result);
    });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A browser: keeps cookies of each origin and follows redirects, as far as it is asked to. */
export class CookieBrowser {
  readonly cookies = new Map<string, Map<string, string>>();

  /** Goes to `url` and on, until an answer is no redirect or leads to an address that `stop` starts with; that address, or the answer. */
  async go(url: string, stop = 'none:'): Promise<{ readonly location: string | null; readonly response: Response }> {
    let next = url;
    for (let hops = 0; hops < 15; hops++) {
      const jar = this.jar(next);
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(next, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (/Max-Age=0|expires=Thu, 01 Jan 1970/i.test(line) || value === '') jar.delete(name);
        else jar.set(name, value);
      }
      const location = response.headers.get('location');
      if (location === null) return { location: null, response };
      next = new URL(location, next).toString();
      if (next.startsWith(stop)) return { location: next, response };
    }
    throw new Error('too many redirects');
  }

  private jar(url: string): Map<string, string> {
    const { origin } = new URL(url);
    const jar = this.cookies.get(origin) ?? new Map<string, string>();
    this.cookies.set(origin, jar);
    return jar;
  }
}
