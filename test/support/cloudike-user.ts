import { setTimeout as sleep } from 'node:timers/promises';

import { HttpSession } from './http-session.js';

/** The parts of a node object that tests look at (cloudike.md 1.6). */
export interface WireNode {
  readonly path: string;
  readonly folder: boolean;
  readonly bytes: number;
  readonly checksum?: string;
  readonly version: number;
  readonly created: number;
  readonly modified: number;
  readonly icon: string;
  readonly client_data: { readonly created?: number; readonly modified?: number };
  readonly content?: WireNode[];
  readonly is_last_page?: boolean;
  readonly name?: string;
  readonly restore_path?: string;
  readonly deleted: boolean;
}

export interface UploadTicket {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly confirm_url: string;
  readonly temp_path?: string;
}

/** Percent-encodes every segment of a node path. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** One signed-in user of the Cloudike API. */
export class CloudikeUser {
  private constructor(
    readonly http: HttpSession,
    readonly userId: number,
    readonly token: string,
    readonly email: string,
  ) {}

  /** Registers a new account on a stack with STOWAGE_ACCOUNT_CONFIRMATION=off and signs it in. */
  static async register(
    baseUrl: string,
    email = `user-${Math.random().toString(36).slice(2)}@example.org`,
    password = 'correct horse battery',
  ): Promise<CloudikeUser> {
    const anonymous = new HttpSession(baseUrl);
    await anonymous.form('/api/1/accounts/create/', { email, password, name: email.split('@')[0] });
    return CloudikeUser.login(baseUrl, email, password);
  }

  static async login(baseUrl: string, email: string, password: string): Promise<CloudikeUser> {
    const anonymous = new HttpSession(baseUrl);
    const { token, userid } = await anonymous.form<{ token: string; userid: number }>('/api/1/accounts/login/', {
      login: `email:${email}`,
      password,
    });
    anonymous.close();
    return new CloudikeUser(new HttpSession(baseUrl, { 'mountbit-auth': token }), userid, token, email);
  }

  async metadata(path: string, query: Record<string, string | number | boolean> = {}): Promise<WireNode> {
    const search = new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]));
    return this.http.get<WireNode>(`/api/1/metadata${encodePath(path)}?${search}`);
  }

  async mkdir(path: string): Promise<WireNode> {
    return this.http.form<WireNode>('/api/1/fileops/folder_create/', { path });
  }

  async createUpload(path: string, parameters: Record<string, unknown> = {}): Promise<UploadTicket> {
    return this.http.form<UploadTicket>('/api/1/files/create/', { path, ...parameters });
  }

  /** Sends the bytes of a ticket and returns the status of the storage. */
  async put(ticket: Pick<UploadTicket, 'url' | 'method' | 'headers'>, bytes: Buffer): Promise<number> {
    const reply = await this.http.send(ticket.url, {
      method: ticket.method,
      headers: { ...ticket.headers, 'content-length': String(bytes.length) },
      body: bytes,
    });
    return reply.status;
  }

  /** create -> PUT -> confirm of one file; the metadata of the confirmed node. */
  async upload(path: string, bytes: Buffer, parameters: Record<string, unknown> = {}): Promise<WireNode> {
    const ticket = await this.createUpload(path, { size: bytes.length, ...parameters });
    const status = await this.put(ticket, bytes);
    if (status !== 200) throw new Error(`the storage answered ${status} for ${path}`);
    return this.http.form<WireNode>(ticket.confirm_url, {});
  }

  /** The bytes of a file, by files/get and its URL. */
  async download(path: string, query = ''): Promise<Buffer> {
    const { url } = await this.http.get<{ url: string }>(`/api/1/files/get${encodePath(path)}${query}`);
    const reply = await this.http.send(url);
    if (reply.status !== 200) throw new Error(`the storage answered ${reply.status} for ${path}`);
    return reply.body;
  }

  /** Polls a task as the real clients do: any error status means "not yet" until `timeoutMs` has passed, but 400 is a failed task. */
  async finished<T = Record<string, unknown>>(taskId: string, timeoutMs = 120_000): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const reply = await this.http.send(`/api/1/task/${taskId}/`);
      if (reply.status === 200) return reply.json<T>();
      if (reply.status === 400) throw new Error(`task failed: ${reply.body.toString()}`);
      if (Date.now() > deadline) throw new Error(`task still not done after ${timeoutMs} ms: ${reply.body.toString()}`);
      await sleep(50);
    }
  }
}
