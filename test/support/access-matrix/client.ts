import { HttpSession, type HttpAnswer } from '../http-session.js';

export type Params = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** One call of the dialect, without its spelling. */
export interface Call {
  /** Below /api/<n>, without a slash at its beginning. */
  readonly route: string;
  readonly params?: Params;
  /** Where the methods mean different things. */
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Spelling {
  readonly name: string;
  readonly version: 0 | 1;
  readonly method: 'GET' | 'POST';
  readonly json: boolean;
  readonly slash: '' | '/' | '//';
}

/** Ways of saying the same thing; each of them leads to the same handler, and must lead to the same answer. */
export const SPELLINGS: readonly Spelling[] = [
  { name: '1-form', version: 1, method: 'POST', json: false, slash: '/' },
  { name: '0-get', version: 0, method: 'GET', json: false, slash: '' },
  { name: '1-get', version: 1, method: 'GET', json: false, slash: '//' },
  { name: '0-json', version: 0, method: 'POST', json: true, slash: '/' },
];

/** Sends calls over kept connections, as one caller or as many. */
export class MatrixClient {
  private readonly http: HttpSession;
  private nth = 0;
  requests = 0;

  constructor(baseUrl: string) {
    this.http = new HttpSession(baseUrl, {}, 24);
  }

  /** The answer to a call. Every call comes from an address of its own, so that no limiter counts them together. */
  async call({ route, params = {}, method, headers = {} }: Call, token: string | null, spelling: Spelling = SPELLINGS[0]!): Promise<HttpAnswer> {
    const verb = method ?? spelling.method;
    const path = `/api/${spelling.version}/${route.split('/').map(encodeURIComponent).join('/')}${spelling.slash}`;
    const pairs = Object.entries(params).flatMap(([name, value]) => [value].flat().map((item): [string, string] => [name, String(item)]));
    const query = new URLSearchParams(pairs).toString();
    const sent = { ...headers, ...this.origin(), ...(token === null ? {} : { 'mountbit-auth': token }) };
    if (verb === 'GET') return this.send(query === '' ? path : `${path}?${query}`, { headers: sent });
    const [type, body] = spelling.json ? ['application/json', JSON.stringify(params)] : ['application/x-www-form-urlencoded', query];
    return this.send(path, { method: verb, headers: { ...sent, 'content-type': type }, body });
  }

  async send(target: string, request: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {}): Promise<HttpAnswer> {
    this.requests += 1;
    return this.http.send(target, { ...request, headers: { ...this.origin(), ...request.headers } });
  }

  close(): void {
    this.http.close();
  }

  private origin(): Record<string, string> {
    this.nth += 1;
    return { 'x-forwarded-for': `10.${(this.nth >> 16) & 255}.${(this.nth >> 8) & 255}.${this.nth & 255}` };
  }
}

/** What an answer says, in a form that can be compared: an unknown node and a hidden one must not differ in it. */
export function saying(answer: HttpAnswer, path: string): string {
  const text = answer.body.toString('utf8');
  return `${answer.status} ${answer.headers['content-type'] ?? ''} ${text.replaceAll(JSON.stringify(path).slice(1, -1), '<path>')}`;
}

/** Status and code, for people. */
export function brief(answer: HttpAnswer): string {
  return `${answer.status} ${answer.body.toString('utf8', 0, 200)}`;
}
