import { randomBytes } from 'node:crypto';

import { type HttpAnswer, HttpSession } from './http-session.js';

/** A parameter as a program would have it; lists are sent in the spelling of the client. */
export type ClientValue = string | number | boolean | readonly string[];
export type ClientParams = Readonly<Record<string, ClientValue>>;

/** Real programs that speak the Cloudike API, named as in the contract, each with its own way of saying the same thing. */
export const CLIENT_KINDS = ['NG', 'BFF', 'PHP', 'GO', 'PYQT', 'WID', 'IOS', 'BOT'] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

interface Encoded {
  readonly query?: string;
  readonly body?: Buffer | string;
  readonly type?: string;
}

interface Dialect {
  /** How calls that change something are sent. */
  readonly write: (params: ClientParams) => Encoded;
  /** How calls that only read are sent, and by which method. */
  readonly read: (params: ClientParams) => Encoded;
  readonly readMethod: 'GET' | 'POST';
  readonly auth: (token: string) => Record<string, string>;
  /** How booleans are written. */
  readonly boolean: (value: boolean) => string | boolean;
  /** How the bytes go to the storage. */
  readonly upload: 'raw' | 'form';
  /** What create is told beside the path. */
  readonly create: ClientParams;
}

const flat = (params: ClientParams, name: (key: string, index: number) => string): [string, string][] =>
  Object.entries(params).flatMap(([key, value]) =>
    typeof value === 'object' ? value.map((item, index): [string, string] => [name(key, index), item]) : [[key, String(value)] as [string, string]],
  );
const repeated = (key: string, _index: number): string => key;
const indexed = (key: string, index: number): string => `${key}[${index}]`;

const urlencoded = (pairs: [string, string][]): string => new URLSearchParams(pairs).toString();
const form = (params: ClientParams, name = repeated): Encoded => ({
  body: urlencoded(flat(params, name)),
  type: 'application/x-www-form-urlencoded',
});
const json = (params: ClientParams): Encoded => ({ body: JSON.stringify(params), type: 'application/json' });
const query = (params: ClientParams): Encoded => ({ query: urlencoded(flat(params, repeated)) });
const multipart = (params: ClientParams): Encoded => multipartBody(flat(params, repeated).map(([field, value]) => ({ field, value })));

interface Part {
  readonly field: string;
  readonly value: string | Buffer;
  readonly fileName?: string;
  readonly type?: string;
}

/** A multipart/form-data body in the form that HTTP libraries write. */
export function multipartBody(parts: readonly Part[]): { readonly body: Buffer; readonly type: string } {
  const boundary = `----stowage${randomBytes(8).toString('hex')}`;
  const chunks = parts.flatMap(({ field, value, fileName, type }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${field}"${fileName === undefined ? '' : `; filename="${fileName}"`}\r\n` +
        `${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n`,
    ),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
  return { body: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]), type: `multipart/form-data; boundary=${boundary}` };
}

const mountbit = (token: string) => ({ 'Mountbit-Auth': token });
const asText = (value: boolean) => String(value);

const DIALECTS: Readonly<Record<ClientKind, Dialect>> = {
  // its helper turns every GET into a POST with the body {} and the parameters in the query
  NG: {
    write: multipart,
    read: (params) => ({ ...query(params), ...json({}) }),
    readMethod: 'POST',
    auth: mountbit,
    boolean: (value) => (value ? '1' : '0'),
    upload: 'raw',
    create: { overwrite: '1', multipart: 'true' },
  },
  BFF: {
    write: (params) => form(params, indexed),
    read: query,
    readMethod: 'GET',
    auth: mountbit,
    boolean: asText,
    upload: 'raw',
    create: { overwrite: true, create_dirs: true },
  },
  PHP: { write: json, read: query, readMethod: 'GET', auth: mountbit, boolean: (value) => value, upload: 'raw', create: {} },
  // everything in the query, an empty body, and a type that promises JSON
  GO: {
    write: (params) => ({ ...query(params), body: '', type: 'application/json' }),
    read: query,
    readMethod: 'GET',
    auth: mountbit,
    boolean: asText,
    upload: 'raw',
    create: { multipart: true },
  },
  PYQT: {
    write: form,
    read: query,
    readMethod: 'GET',
    auth: mountbit,
    boolean: (value) => (value ? 'True' : 'False'),
    upload: 'form',
    create: { overwrite: 1 },
  },
  WID: {
    write: json,
    read: query,
    readMethod: 'GET',
    auth: mountbit,
    boolean: (value) => value,
    upload: 'raw',
    create: { overwrite: true, version: 0, multipart: true },
  },
  IOS: {
    write: form,
    read: query,
    readMethod: 'GET',
    auth: mountbit,
    boolean: asText,
    upload: 'form',
    create: { device_id: 'phone', device_reference: 'asset-1' },
  },
  BOT: { write: form, read: query, readMethod: 'GET', auth: (token) => ({ authorization: token }), boolean: asText, upload: 'raw', create: {} },
};

export interface Ticket {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>> | readonly [];
  readonly confirm_url: string;
}

/** One program at work: sends calls, bytes and confirmations exactly as that program does. */
export class ApiClient {
  readonly http: HttpSession;
  private readonly dialect: Dialect;

  constructor(
    baseUrl: string,
    readonly kind: ClientKind,
    token?: string,
  ) {
    this.dialect = DIALECTS[kind];
    this.http = new HttpSession(baseUrl, token === undefined ? {} : this.dialect.auth(token));
  }

  /** A call that changes something. */
  async write(path: string, params: ClientParams = {}): Promise<HttpAnswer> {
    return this.send('POST', path, this.dialect.write(this.spelled(params)));
  }

  /** A call that only reads. */
  async read(path: string, params: ClientParams = {}): Promise<HttpAnswer> {
    return this.send(this.dialect.readMethod, path, this.dialect.read(this.spelled(params)));
  }

  /** files/create in the way of this program; the answer as it came. */
  async create(path: string, params: ClientParams = {}): Promise<HttpAnswer> {
    return this.write('/api/1/files/create/', { path, ...this.dialect.create, ...params });
  }

  /** Sends the bytes to the storage; the status there. */
  async put(ticket: Ticket, bytes: Buffer, fileName: string): Promise<number> {
    const anonymous = new HttpSession(this.http.baseUrl);
    const { body, type } =
      this.dialect.upload === 'raw' ? { body: bytes, type: ticket.headers['Content-Type'] } : this.uploadForm(ticket, bytes, fileName);
    const method = this.dialect.upload === 'raw' ? ticket.method : 'POST';
    const headers = { 'content-length': String(body.length), ...(type === undefined ? {} : { 'content-type': type }) };
    const { status } = await anonymous.send(ticket.url, { method, headers, body });
    anonymous.close();
    return status;
  }

  /** Confirms with what the ticket says and nothing more. */
  async confirm(ticket: Ticket): Promise<HttpAnswer> {
    const body = this.kind === 'NG' ? '{}' : '';
    return this.http.send(ticket.confirm_url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
      body,
    });
  }

  close(): void {
    this.http.close();
  }

  /** PYQT sends every header as a file part named after its field, IOS parameters and headers as plain fields; both end with the part `file`. */
  private uploadForm(ticket: Ticket, bytes: Buffer, fileName: string): { body: Buffer; type: string } {
    const extra = Object.entries(this.kind === 'PYQT' ? ticket.headers : { ...ticket.parameters, ...ticket.headers });
    const fields = extra.map(([field, value]): Part => (this.kind === 'PYQT' ? { field, value, fileName: field } : { field, value }));
    return multipartBody([...fields, { field: 'file', value: bytes, fileName, type: 'application/octet-stream' }]);
  }

  private spelled(params: ClientParams): ClientParams {
    return Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, typeof value === 'boolean' ? this.dialect.boolean(value) : value]),
    );
  }

  private async send(method: string, path: string, { query: search, body, type }: Encoded): Promise<HttpAnswer> {
    const target = search ? `${path}${path.includes('?') ? '&' : '?'}${search}` : path;
    const headers: Record<string, string> = {};
    if (type !== undefined) headers['content-type'] = type;
    if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body));
    return this.http.send(target, { method, headers, ...(body === undefined ? {} : { body }) });
  }
}
