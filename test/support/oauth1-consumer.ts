import { createHmac, randomBytes } from 'node:crypto';

import { type HttpAnswer, HttpSession } from './http-session.js';

/** A token with its secret, as OAuth 1.0 answers them. */
export interface Oauth1Token {
  readonly token: string;
  readonly secret: string;
}

export interface SignedCall {
  readonly method?: string;
  readonly token?: Oauth1Token | undefined;
  /** Parameters of the query; an `oauth_` one that is named here is sent beside the header. */
  readonly query?: Record<string, string>;
  readonly form?: Record<string, string>;
  /** Parameters of the protocol that differ from those of a right request; undefined = left out. */
  readonly protocol?: Record<string, string | undefined>;
  /** Where they go. */
  readonly place?: 'header' | 'query' | 'form';
  /** Changes the request when it has been signed. */
  readonly tamper?: (sent: { query: Record<string, string>; form: Record<string, string> }) => void;
}

const encoded = (text: string): string =>
  [...Buffer.from(text, 'utf8')].map((byte) => (/[\w.~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${hex(byte)}`)).join('');
const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');

/** A program that signs its requests by OAuth 1.0, written from RFC 5849 and not from the product. */
export class Oauth1Consumer {
  private readonly http: HttpSession;

  constructor(
    private readonly baseUrl: string,
    private readonly key: string,
    private readonly secret: string,
  ) {
    this.http = new HttpSession(baseUrl);
  }

  /** Sends `/api/1/<path>`, signed. */
  async send(path: string, call: SignedCall = {}): Promise<HttpAnswer> {
    const { method = 'GET', token, query = {}, form = {}, place = 'header' } = call;
    const target = `/api/1/${path}`;
    const wanted: Record<string, string | undefined> = {
      oauth_consumer_key: this.key,
      oauth_signature_method: 'HMAC-SHA1',
      oauth_timestamp: String(Math.floor(Date.now() / 1_000)),
      oauth_nonce: randomBytes(8).toString('hex'),
      oauth_version: '1.0',
      ...(token ? { oauth_token: token.token } : {}),
      ...call.protocol,
    };
    const protocol = Object.fromEntries(Object.entries(wanted).filter((pair): pair is [string, string] => pair[1] !== undefined));
    const pairs = [query, form, protocol].flatMap((each) => Object.entries(each)).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
    // `=` sorts after some characters of longer names; no name here is the beginning of another one
    const base = [method, `${this.baseUrl}${target}`, pairs.sort().join('&')].map(encoded).join('&');
    protocol['oauth_signature'] ??= createHmac('sha1', `${encoded(this.secret)}&${encoded(token?.secret ?? '')}`)
      .update(base)
      .digest('base64');
    const sent = {
      query: { ...query, ...(place === 'query' ? protocol : {}) },
      form: { ...form, ...(place === 'form' ? protocol : {}) },
    };
    call.tamper?.(sent);
    const search = new URLSearchParams(sent.query).toString();
    const body = new URLSearchParams(sent.form).toString();
    const header = Object.entries(protocol).map(([name, value]) => `${encoded(name)}="${encoded(value)}"`);
    return this.http.send(search === '' ? target : `${target}?${search}`, {
      method,
      headers: {
        ...(place === 'header' ? { authorization: `OAuth realm="Stowage, files", ${header.join(', ')}` } : {}),
        ...(body === '' ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(body === '' ? {} : { body }),
    });
  }

  /** Temporary credentials. */
  async begin(callback: string): Promise<Oauth1Token> {
    return tokenOf(await this.send('oauth/request_token/', { protocol: { oauth_callback: callback } }));
  }

  /** What `oauth/access_token` answers for them. */
  finish(token: Oauth1Token, verifier: string): Promise<HttpAnswer> {
    return this.send('oauth/access_token/', { method: 'POST', token, protocol: { oauth_verifier: verifier } });
  }

  close(): void {
    this.http.close();
  }
}

/** The credentials of a form-encoded answer. */
export function tokenOf({ status, body }: HttpAnswer): Oauth1Token {
  const values = new URLSearchParams(body.toString('utf8'));
  const [token, secret] = [values.get('oauth_token'), values.get('oauth_token_secret')];
  if (status !== 200 || !token || !secret) throw new Error(`no credentials: ${status} ${body.toString('utf8').slice(0, 300)}`);
  return { token, secret };
}
