import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';

import { type HttpAnswer, HttpSession } from './http-session.js';

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly modulus: string;
  readonly exponent: string;
}

function newKeys(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { n, e } = publicKey.export({ format: 'jwk' });
  const base64 = (text: string): string => Buffer.from(text, 'base64url').toString('base64');
  return { privateKey, modulus: base64(n!), exponent: base64(e!) };
}

/** An office server as far as a WOPI host can see it: a discovery document, keys that change, and signed calls. */
export class OfficeServer {
  private keys: { current: KeyPair; old: KeyPair } = { current: newKeys(), old: newKeys() };
  /** What the discovery document shows; it may lag behind the keys that are used. */
  private shown = this.keys;
  /** How often the document was read. */
  reads = 0;
  isDown = false;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<OfficeServer> {
    const server = createServer((_, response) => {
      if (office.isDown) response.writeHead(503).end();
      else {
        office.reads += 1;
        response.writeHead(200, { 'content-type': 'text/xml' }).end(office.document());
      }
    });
    const office = new OfficeServer(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return office;
  }

  get discoveryUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hosting/discovery`;
  }

  /** Takes a new key; the document shows it at once, or only after `show`. */
  changeKeys(): void {
    this.keys = { current: newKeys(), old: this.keys.current };
  }

  show(): void {
    this.shown = this.keys;
  }

  /** The headers by which a call is signed. */
  proof(accessToken: string, url: string, nowMs = Date.now()): Record<string, string> {
    const ticks = BigInt(nowMs) * 10_000n + 621_355_968_000_000_000n;
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(ticks);
    const parts = [Buffer.from(accessToken, 'utf8'), Buffer.from(url.toUpperCase(), 'utf8'), time];
    const message = Buffer.concat(parts.flatMap((part) => [Buffer.from(Uint32Array.of(part.length).buffer).swap32(), part]));
    const signed = ({ privateKey }: KeyPair): string => sign('sha256', message, privateKey).toString('base64');
    return { 'x-wopi-timestamp': String(ticks), 'x-wopi-proof': signed(this.keys.current), 'x-wopi-proofold': signed(this.keys.old) };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private document(): string {
    const { current, old } = this.shown;
    const action = (name: string, ext: string): string =>
      `<action name="${name}" ext="${ext}" requires="locks,update" urlsrc="http://office.test/${name}/${ext}?&lt;ui=UI_LLCC&amp;&gt;&lt;dchat=DISABLE_CHAT&amp;&gt;"/>`;
    return `<?xml version="1.0"?><wopi-discovery><net-zone name="external-http"><app name="Word">
      ${['docx', 'txt', 'bin'].map((ext) => action('view', ext) + action('edit', ext)).join('')}${action('view', 'pdf')}
      </app></net-zone><proof-key modulus="${current.modulus}" exponent="${current.exponent}" oldmodulus="${old.modulus}" oldexponent="${old.exponent}"/></wopi-discovery>`;
  }
}

export interface WopiCall {
  readonly method?: string;
  /** Behind the address of the file. */
  readonly suffix?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string | Readable;
}

/** A document that an office server has open: every call carries the token, and a proof when there is a server that signs. */
export class OfficeDocument {
  readonly source: string;
  readonly token: string;
  private readonly http: HttpSession;

  /** `url`: where the host sent the browser. */
  constructor(
    readonly url: string,
    private readonly office: OfficeServer | null,
  ) {
    const query = new URL(url).searchParams;
    this.source = query.get('WOPISrc') ?? url.slice(0, url.indexOf('?'));
    this.token = query.get('access_token')!;
    this.http = new HttpSession(new URL(this.source).origin);
  }

  call({ method = 'GET', suffix = '', headers = {}, body }: WopiCall = {}): Promise<HttpAnswer> {
    const url = `${this.source}${suffix}?access_token=${this.token}`;
    const proof = this.office?.proof(this.token, url) ?? {};
    return this.http.send(url, { method, headers: { ...proof, ...headers }, ...(body === undefined ? {} : { body }) });
  }

  /** CheckFileInfo. */
  async info(): Promise<Record<string, unknown>> {
    const answer = await this.call();
    if (answer.status !== 200) throw new Error(`CheckFileInfo answered ${answer.status}`);
    return answer.json();
  }

  do(override: string, headers: Record<string, string> = {}, body: Buffer | string = ''): Promise<HttpAnswer> {
    return this.call({
      method: 'POST',
      headers: { 'x-wopi-override': override, 'content-length': String(Buffer.byteLength(body)), ...headers },
      body,
    });
  }

  /** PutFile. */
  put(body: Buffer | string | Readable, lock?: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    const length: Record<string, string> =
      typeof body === 'string' || Buffer.isBuffer(body) ? { 'content-length': String(Buffer.byteLength(body)) } : {};
    const held: Record<string, string> = lock === undefined ? {} : { 'x-wopi-lock': lock };
    return this.call({ method: 'POST', suffix: '/contents', headers: { 'x-wopi-override': 'PUT', ...length, ...held, ...headers }, body });
  }

  /** GetFile. */
  get(headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return this.call({ suffix: '/contents', headers });
  }

  close(): void {
    this.http.close();
  }
}
