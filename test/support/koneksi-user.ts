import type { CloudikeUser } from './cloudike-user.js';
import { type HttpAnswer, HttpSession } from './http-session.js';

/** Every answer but bytes. */
export interface Envelope<D = Record<string, unknown>> {
  readonly status: 'success' | 'error';
  readonly message: string | null;
  readonly data: D;
  readonly meta: Record<string, unknown> | null;
}

export interface KoneksiFile {
  readonly id: string;
  readonly directory_id: string;
  readonly name: string;
  readonly hash: string | null;
  readonly size: number;
  readonly content_type: string;
  readonly access: string;
  readonly is_encrypted: boolean;
  readonly recipients: { readonly id: string; readonly email: string }[] | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface KoneksiDirectory {
  readonly id: string;
  readonly name: string;
  readonly size: number;
}

export interface KoneksiContent {
  readonly directory: KoneksiDirectory;
  readonly subdirectories: KoneksiDirectory[];
  readonly files: KoneksiFile[];
}

export interface KoneksiUpload {
  readonly directory_id: string;
  readonly file_id: string;
  readonly name: string;
  readonly hash: string;
  readonly size: number;
  readonly content_type: string;
  readonly access: string;
  readonly is_encrypted: boolean;
}

export interface ServiceAccount {
  readonly id: string;
  readonly client_id: string;
  readonly client_secret: string;
}

/** One part of a form, in the order in which it is sent. */
export type FormPart =
  | { readonly field: string; readonly value: string }
  | { readonly field: string; readonly fileName: string; readonly bytes: Buffer; readonly type?: string };

const BOUNDARY = 'koneksi-form-boundary';

/** A multipart form as curl -F sends it. */
export function formOf(parts: readonly FormPart[]): { headers: Record<string, string>; body: Buffer } {
  const chunks = parts.flatMap((part) => {
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${part.field}"`;
    if ('value' in part) return [Buffer.from(`${head}\r\n\r\n${part.value}\r\n`)];
    const type = part.type ?? 'application/octet-stream';
    return [Buffer.from(`${head}; filename="${part.fileName}"\r\nContent-Type: ${type}\r\n\r\n`), part.bytes, Buffer.from('\r\n')];
  });
  const body = Buffer.concat([...chunks, Buffer.from(`--${BOUNDARY}--\r\n`)]);
  return { headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, 'content-length': String(body.length) }, body };
}

/** Makes a service account for somebody who is signed in at the main API. */
export function mintServiceAccount(user: CloudikeUser, name = 'test'): Promise<ServiceAccount> {
  return user.http.form<ServiceAccount & Record<string, unknown>>('/api/1/accounts/service_accounts/create/', { name });
}

export function clientHeaders({ client_id, client_secret }: Pick<ServiceAccount, 'client_id' | 'client_secret'>): Record<string, string> {
  return { 'Client-ID': client_id, 'Client-Secret': client_secret };
}

/** One service account at the Koneksi API. `say` gives any answer; the other methods throw for all but success. */
export class KoneksiUser {
  readonly http: HttpSession;

  constructor(
    baseUrl: string,
    readonly account: ServiceAccount,
    readonly prefix = '/clients/v1',
  ) {
    this.http = new HttpSession(baseUrl, clientHeaders(account));
  }

  static async of(user: CloudikeUser, prefix?: string): Promise<KoneksiUser> {
    return new KoneksiUser(user.http.baseUrl, await mintServiceAccount(user), prefix);
  }

  /** Any call with a JSON body, and its answer. */
  async say<D = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; said: string; body: Envelope<D>; reply: HttpAnswer }> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const reply = await this.http.send(this.prefix + path, {
      method,
      headers: {
        ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const parsed = reply.json<Envelope<D>>();
    return { status: reply.status, said: `${reply.status} ${parsed.message}`, body: parsed, reply };
  }

  /** `data` of a call that succeeds. */
  async did<D>(method: string, path: string, body?: unknown): Promise<D> {
    const { status, said, body: answer } = await this.say<D>(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${said}`);
    return answer.data;
  }

  content(id = 'root'): Promise<KoneksiContent> {
    return this.did('GET', `/directories/${id}`);
  }

  async mkdir(name: string, parent?: string): Promise<string> {
    const { directory } = await this.did<{ directory: KoneksiDirectory }>('POST', '/directories', {
      name,
      ...(parent ? { directory_id: parent } : {}),
    });
    return directory.id;
  }

  /** Sends a form to `path`; any answer. */
  async form<D = KoneksiUpload>(parts: readonly FormPart[], path = '/files'): Promise<{ status: number; said: string; body: Envelope<D> }> {
    const reply = await this.http.send(this.prefix + path, { method: 'POST', ...formOf(parts) });
    const body = reply.json<Envelope<D>>();
    return { status: reply.status, said: `${reply.status} ${body.message}`, body };
  }

  async put(fileName: string, bytes: Buffer, fields: Readonly<Record<string, string>> = {}): Promise<KoneksiUpload> {
    const values = Object.entries(fields).map(([field, value]) => ({ field, value }));
    const { status, said, body } = await this.form([...values, { field: 'file', fileName, bytes }]);
    if (status !== 201) throw new Error(`upload of ${fileName}: ${said}`);
    return body.data;
  }

  /** The answer to a download, whatever it is. */
  download(id: string, query = '', headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return this.http.send(`${this.prefix}/files/${id}/download${query}`, { headers });
  }

  close(): void {
    this.http.close();
  }
}
