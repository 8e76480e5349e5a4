import { CloudikeUser } from './cloudike-user.js';
import { type HttpAnswer, HttpSession } from './http-session.js';
import { Wallet } from './wallet.js';

export const QUICKSYNC_PREFIX = '/quicksync/v1';

/** UploadInfoDto. */
export interface UploadInfo {
  readonly creatorId: string;
  readonly completed: boolean;
  readonly fileKey: string;
  readonly fileName: string | null;
  readonly totalParts: number;
  readonly originalSizeInBytes: number;
}

export interface SessionAnswer {
  readonly sessionId: string;
  readonly expiresIn: number;
  readonly credentials: { readonly token: string; readonly id: string; readonly pseudonym: string; readonly role: string };
  readonly rules: Record<string, unknown>;
  readonly users?: readonly { readonly id: string; readonly role: string; readonly name: string; readonly address: string }[];
}

/** What an API said: `said` is the status with the code of a refusal. */
export interface Said<T = Record<string, unknown>> {
  readonly said: string;
  readonly status: number;
  readonly body: T;
  readonly reply: HttpAnswer;
}

/** Sends a call, with a JSON body when there is one. */
export async function quicksyncSay<T = Record<string, unknown>>(
  http: HttpSession,
  method: string,
  path: string,
  options: { readonly headers?: Record<string, string>; readonly body?: unknown } = {},
): Promise<Said<T>> {
  const text = options.body === undefined ? undefined : JSON.stringify(options.body);
  const reply = await http.send(`${QUICKSYNC_PREFIX}/${path}`, {
    method,
    headers: {
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
      ...options.headers,
    },
    ...(text === undefined ? {} : { body: text }),
  });
  const body = reply.body.length === 0 ? {} : reply.json();
  return {
    said: reply.status < 400 ? String(reply.status) : `${reply.status} ${String(body['code'])}`,
    status: reply.status,
    body: body as T,
    reply,
  };
}

/** A developer key of a person, minted as he would. */
export async function developerKey(user: CloudikeUser): Promise<{ readonly id: string; readonly key: string }> {
  const { id, developer_key: key } = await user.http.form<{ id: string; developer_key: string }>(
    '/api/1/accounts/developer_keys/create/',
    { name: 'test' },
    [200, 201],
  );
  return { id, key };
}

/** The token that proves a wallet. */
export async function walletToken(http: HttpSession, wallet: Wallet): Promise<string> {
  const { message } = (await quicksyncSay<{ message: string }>(http, 'GET', 'wallet-proof/nonce')).body;
  const body = { walletAddress: wallet.address, message, signature: wallet.sign(message) };
  const { status, body: answer, reply } = await quicksyncSay<{ token: string }>(http, 'POST', 'wallet-proof/verify?chain=Ethereum', { body });
  if (status !== 200) throw new Error(`wallet-proof/verify answered ${status}: ${reply.body.toString()}`);
  return answer.token;
}

export type Rules = Readonly<Record<string, unknown>>;

/** Somebody in a session. Methods without `say` throw for every answer but success. */
export class QuicksyncMember {
  readonly http: HttpSession;

  private constructor(
    baseUrl: string,
    readonly wallet: Wallet,
    readonly session: SessionAnswer,
  ) {
    this.http = new HttpSession(baseUrl, { authorization: `Bearer ${session.credentials.token}` });
  }

  /** Makes a session and is its host. */
  static async host(baseUrl: string, key: string, rules: Rules = {}, name = 'Host'): Promise<QuicksyncMember> {
    const wallet = new Wallet();
    const body = { identity: { name, chainAddress: wallet.address }, rules };
    return QuicksyncMember.enter(baseUrl, wallet, 'session', body, { 'x-api-key': key });
  }

  static async join(baseUrl: string, sessionId: string, password?: string, wallet = new Wallet()): Promise<QuicksyncMember> {
    return QuicksyncMember.enter(baseUrl, wallet, 'session/join', { sessionId, password }, {});
  }

  private static async enter(baseUrl: string, wallet: Wallet, path: string, body: object, headers: Record<string, string>): Promise<QuicksyncMember> {
    const anonymous = new HttpSession(baseUrl);
    try {
      const authorization = `Bearer ${await walletToken(anonymous, wallet)}`;
      const said = await quicksyncSay<SessionAnswer>(anonymous, 'POST', path, { headers: { authorization, ...headers }, body });
      if (said.status !== 200) throw new Error(`${path} answered ${said.said}: ${said.reply.body.toString()}`);
      return new QuicksyncMember(baseUrl, wallet, said.body);
    } finally {
      anonymous.close();
    }
  }

  get id(): string {
    return this.session.credentials.id;
  }

  say<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Said<T>> {
    return quicksyncSay<T>(this.http, method, path, body === undefined ? {} : { body });
  }

  async start(body: object): Promise<{ readonly uploadId: string; readonly fileKey: string }> {
    const said = await this.say<{ uploadId: string; fileKey: string }>('POST', 'buckets', body);
    if (said.status !== 200) throw new Error(`POST buckets answered ${said.said}`);
    return said.body;
  }

  /** Sends one part; without a header of those given as undefined. */
  async part(headers: { key?: string; uploadId?: string; partNumber?: number | string }, bytes: Buffer, more: Record<string, string> = {}) {
    const given = Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
    const reply = await this.http.send(`${QUICKSYNC_PREFIX}/buckets`, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(bytes.length), ...given, ...more },
      body: bytes,
    });
    const body = reply.json<{ tag: string; partNumber: number; code?: string }>();
    return { said: reply.status < 400 ? String(reply.status) : `${reply.status} ${body.code}`, status: reply.status, body, reply };
  }

  /** A whole file; its key. */
  async put(name: string | null, parts: readonly Buffer[]): Promise<string> {
    const { uploadId, fileKey: key } = await this.start({
      totalParts: parts.length,
      encryptedName: name,
      originalSizeInBytes: Buffer.concat(parts).length,
    });
    const tags: string[] = [];
    for (const [at, bytes] of parts.entries()) {
      const { status, body, said } = await this.part({ key, uploadId, partNumber: at + 1 }, bytes);
      if (status !== 200) throw new Error(`PUT buckets answered ${said}`);
      tags.push(body.tag);
    }
    const said = await this.say('POST', 'buckets/complete', { tags, key });
    if (said.status !== 200) throw new Error(`buckets/complete answered ${said.said}`);
    return key;
  }

  async list(): Promise<UploadInfo[]> {
    return (await this.say<UploadInfo[]>('GET', 'buckets')).body;
  }

  /** The answer of a download's URL, asked without any credential. */
  async bytes(fileKey: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    const { body, status, said } = await this.say<{ url: string }>('GET', `buckets/download/${fileKey}`);
    if (status !== 200) throw new Error(`buckets/download answered ${said}`);
    const anonymous = new HttpSession(this.http.baseUrl);
    try {
      return await anonymous.send(body.url, { headers });
    } finally {
      anonymous.close();
    }
  }

  close(): void {
    this.http.close();
  }
}
