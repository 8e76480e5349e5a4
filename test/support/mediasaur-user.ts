import type { CloudikeUser } from './cloudike-user.js';
import { type HttpAnswer, HttpSession } from './http-session.js';

export interface MediaFile {
  readonly id: string;
  readonly bucket: string;
  readonly name: string;
  readonly path: string;
  readonly url: string;
  readonly size: number;
  readonly mime_type: string;
  readonly visibility: 'PUBLIC' | 'PRIVATE';
  readonly metadata: Record<string, unknown>;
  readonly created_at: string;
  readonly updated_at: string;
}

/** What an answer said: `200`, or status and code of the refusal, `404 not_found`. */
export interface Said {
  readonly said: string;
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly reply: HttpAnswer;
}

const BASE = '/mediasaur/v1';
const BOUNDARY = 'a-form-boundary';

/** A form of text fields and one file; `fileFirst`: the fields come behind the file. */
export function mediaForm(fields: Readonly<Record<string, string>>, name: string, bytes: Buffer, { fileFirst = false } = {}) {
  const part = (head: string, body: Buffer | string) =>
    Buffer.concat([Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n`), Buffer.from(body), Buffer.from('\r\n')]);
  const texts = Object.entries(fields).map(([field, value]) => part(`Content-Disposition: form-data; name="${field}"`, value));
  const file = part(`Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream`, bytes);
  const body = Buffer.concat([...(fileFirst ? [file, ...texts] : [...texts, file]), Buffer.from(`--${BOUNDARY}--\r\n`)]);
  return { headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, 'content-length': String(body.length) }, body };
}

/** One API key of the Mediasaur API. `say` gives any answer; the other methods throw for every answer but the documented success. */
export class MediasaurUser {
  private constructor(
    readonly http: HttpSession,
    readonly key: string,
    readonly keyId: string,
  ) {}

  /** With a new key of this person's; `buckets` are the names of those that it reaches. */
  static async of(baseUrl: string, person: CloudikeUser, buckets?: readonly string[]): Promise<MediasaurUser> {
    const wish = { name: 'a program', ...Object.fromEntries((buckets ?? []).map((name, at) => [`buckets[${at}]`, name])) };
    const { api_key: key, id } = await person.http.form<{ api_key: string; id: string }>('/api/1/accounts/api_keys/create/', wish);
    return new MediasaurUser(new HttpSession(baseUrl, { authorization: `Bearer ${key}` }), key, id);
  }

  async say(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Said> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const reply = await this.http.send(`${BASE}${path}`, {
      method,
      headers: {
        ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    return said(reply);
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.say(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.reply.status} ${answer.reply.body.toString()}`);
    return answer.body as T;
  }

  async upload(
    fields: Readonly<Record<string, string>>,
    name: string,
    bytes: Buffer,
    options: { fileFirst?: boolean; bearer?: string; path?: string } = {},
  ): Promise<Said> {
    const form = mediaForm(fields, name, bytes, options);
    const headers = { ...form.headers, ...(options.bearer === undefined ? {} : { authorization: `Bearer ${options.bearer}` }) };
    return said(await this.http.send(`${BASE}${options.path ?? '/upload'}`, { method: 'POST', headers, body: form.body }));
  }

  async put(bucket: string, path: string, bytes: Buffer | string, fields: Readonly<Record<string, string>> = {}): Promise<MediaFile> {
    const answer = await this.upload({ bucket, path, ...fields }, 'upload.bin', Buffer.from(bytes));
    if (answer.status !== 201) throw new Error(`upload: ${answer.status} ${answer.reply.body.toString()}`);
    return answer.body as unknown as MediaFile;
  }

  async list(bucket: string, query: Readonly<Record<string, string>> = {}): Promise<MediaFile[]> {
    return (await this.call<{ files: MediaFile[] }>('GET', `/files?${new URLSearchParams({ bucket, ...query })}`)).files;
  }

  close(): void {
    this.http.close();
  }
}

function said(reply: HttpAnswer): Said {
  const isJson = String(reply.headers['content-type'] ?? '').startsWith('application/json');
  const body = isJson && reply.body.length > 0 ? reply.json<Record<string, unknown>>() : {};
  const error = body['error'] as { code?: string } | undefined;
  return { said: error?.code === undefined ? String(reply.status) : `${reply.status} ${error.code}`, status: reply.status, body, reply };
}
