import { type HttpAnswer, HttpSession } from './http-session.js';

/** A line of dirlist. */
export interface FileagoEntry {
  readonly is_starred: boolean;
  readonly public_shares: number;
  readonly name: string;
  readonly size: number;
  readonly comment_count: number;
  readonly uuid: string;
  readonly private_shares: number;
  readonly revision?: number;
  readonly updated: number;
  readonly type: 'Dir' | 'File';
}

export interface FileagoFacts {
  readonly name: string;
  readonly type: string;
  readonly uuid: string;
  readonly owner_type: string;
  readonly owner_uuid: string;
  readonly owner_fullname: string;
  readonly created: number;
  readonly updated: number;
}

interface SignedIn {
  readonly uuid: string;
  readonly token: string;
  readonly fileaccesskey: string;
}

const BOUNDARY = 'fileago-form-boundary';

/** A multipart form as curl -F sends it. */
export function fileForm(files: readonly { readonly name: string; readonly bytes: Buffer; readonly field?: string }[]): {
  headers: Record<string, string>;
  body: Buffer;
} {
  const parts = files.flatMap(({ name, bytes, field = 'file' }) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  const body = Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
  return { headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, 'content-length': String(body.length) }, body };
}

/** One signed-in user of the FileAgo API. Methods throw for every answer but the documented success; `say` gives any answer as status and body. */
export class FileagoUser {
  private constructor(
    readonly http: HttpSession,
    readonly uuid: string,
    readonly token: string,
    readonly accessKey: string,
  ) {}

  static async login(baseUrl: string, username: string, password: string): Promise<FileagoUser> {
    const anonymous = new HttpSession(baseUrl);
    const reply = await anonymous.send('/auth', { method: 'POST', body: JSON.stringify({ username, password }) });
    anonymous.close();
    if (reply.status !== 200) throw new Error(`/auth answered ${reply.status}: ${reply.body.toString()}`);
    const { uuid, token, fileaccesskey } = reply.json<SignedIn>();
    return new FileagoUser(new HttpSession(baseUrl, { authorization: `Bearer ${token}` }), uuid, token, fileaccesskey);
  }

  async say(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ said: string; status: number; body: Record<string, unknown>; reply: HttpAnswer }> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const reply = await this.http.send(path, {
      method,
      headers: text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) },
      ...(text === undefined ? {} : { body: text }),
    });
    const parsed = reply.body.length === 0 ? {} : reply.json();
    const code = parsed['code'];
    return { said: typeof code === 'string' ? `${reply.status} ${code}` : String(reply.status), status: reply.status, body: parsed, reply };
  }

  /** POST of one action to a node. */
  act(node: string, action: Record<string, unknown>) {
    return this.say('POST', `/api/nodes/${encodeURIComponent(node)}`, action);
  }

  async did(node: string, action: Record<string, unknown>): Promise<void> {
    const { status, reply } = await this.act(node, action);
    if (status !== 204) throw new Error(`${JSON.stringify(action)} on ${node}: ${status} ${reply.body.toString()}`);
  }

  /** `data` of a GET below api/nodes. */
  async data<T>(path: string): Promise<T> {
    return (await this.http.get<{ data: T }>(`/api/nodes/${path}`)).data;
  }

  list(node: string): Promise<FileagoEntry[]> {
    return this.data(`${encodeURIComponent(node)}/dirlist`);
  }

  describe(node: string): Promise<FileagoFacts> {
    return this.data(encodeURIComponent(node));
  }

  /** The entry of this name in a folder. */
  async entry(folder: string, name: string): Promise<FileagoEntry> {
    const found = (await this.list(folder)).find((entry) => entry.name === name);
    if (!found) throw new Error(`there is no ${name} in ${folder}`);
    return found;
  }

  async mkdir(folder: string, name: string): Promise<string> {
    await this.did(folder, { new_dir: name });
    return (await this.entry(folder, name)).uuid;
  }

  async ticket(node: string): Promise<string> {
    return (await this.http.get<{ token: string }>(`/api/nodes/${encodeURIComponent(node)}/upload`)).token;
  }

  /** Both steps of an upload; the answer of the second. */
  async upload(node: string, name: string, bytes: Buffer): Promise<HttpAnswer> {
    const form = fileForm([{ name, bytes }]);
    const anonymous = new HttpSession(this.http.baseUrl);
    try {
      return await anonymous.send(`/upload/${await this.ticket(node)}`, { method: 'POST', ...form });
    } finally {
      anonymous.close();
    }
  }

  /** A new file; its entry. */
  async put(folder: string, name: string, bytes: Buffer): Promise<FileagoEntry> {
    const reply = await this.upload(folder, name, bytes);
    if (reply.status !== 200) throw new Error(`upload of ${name}: ${reply.status} ${reply.body.toString()}`);
    return this.entry(folder, name);
  }

  downloadPath(node: string, revision: string | number = 'latest', name = 'file'): string {
    return `/resources/auth/download/${this.accessKey}/${node}/${revision}/${encodeURIComponent(name)}`;
  }

  async bytes(node: string, revision: string | number = 'latest', headers: Record<string, string> = {}): Promise<Buffer> {
    const reply = await this.http.send(this.downloadPath(node, revision), { headers });
    if (reply.status !== 200 && reply.status !== 206) throw new Error(`download of ${node}: ${reply.status} ${reply.body.toString()}`);
    return reply.body;
  }

  close(): void {
    this.http.close();
  }
}
