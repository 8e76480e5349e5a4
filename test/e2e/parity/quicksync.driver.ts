import { developerKey, QuicksyncMember, type Said, type UploadInfo } from '../../support/quicksync-user.js';
import { type ListedItem, noCall, type ParityDriver, type ParitySession, type Person, type Ref, type Refusal, Refused } from './driver.js';

const REFUSALS: Readonly<Record<string, Refusal>> = {
  '401 unauthenticated': 'unauthenticated',
  '404 not_found': 'not-found',
  '404 upload_not_found': 'not-found',
  '403 forbidden': 'forbidden',
  '413 quota_exceeded': 'no-space',
  '400 invalid': 'invalid',
};

/** Quick Sync: the host of a session; each area is a session of its own, and a file is the session and its key. */
class QuicksyncSession implements ParitySession {
  readonly home: Ref;
  private readonly members = new Map<Ref, QuicksyncMember>();

  private constructor(
    private readonly baseUrl: string,
    private readonly key: string,
    first: QuicksyncMember,
  ) {
    this.home = first.session.sessionId;
    this.members.set(this.home, first);
  }

  static async of(baseUrl: string, { user }: Person): Promise<QuicksyncSession> {
    const { key } = await developerKey(user);
    return new QuicksyncSession(baseUrl, key, await QuicksyncMember.host(baseUrl, key));
  }

  async area(): Promise<Ref> {
    const member = await QuicksyncMember.host(this.baseUrl, this.key);
    this.members.set(member.session.sessionId, member);
    return member.session.sessionId;
  }

  mkdir(): Promise<Ref> {
    return noCall();
  }

  async put(parent: Ref, name: string, bytes: Buffer): Promise<Ref> {
    const member = this.memberAt(parent);
    const started = { totalParts: 1, encryptedName: name, originalSizeInBytes: bytes.length };
    const { uploadId, fileKey: key } = ok(await member.say<{ uploadId: string; fileKey: string }>('POST', 'buckets', started));
    const { tag } = ok(await member.part({ key, uploadId, partNumber: 1 }, bytes));
    ok(await member.say('POST', 'buckets/complete', { key, tags: [tag] }));
    return `${parent}/${key}`;
  }

  async get(file: Ref, range?: { start: number; end: number }): Promise<Buffer> {
    const [member, key] = this.placeOf(file);
    const { url } = ok(await member.say<{ url: string }>('GET', `buckets/download/${key}`));
    const reply = await member.http.send(url, { headers: range ? { range: `bytes=${range.start}-${range.end}` } : {} });
    if (reply.status >= 300) throw new Error(`a URL that was just given answered ${reply.status}: ${reply.body.toString()}`);
    return reply.body;
  }

  async list(folder: Ref): Promise<ListedItem[]> {
    const files = await this.files(folder);
    return files.map(({ fileName, originalSizeInBytes }) => ({ name: fileName ?? '', folder: false, bytes: originalSizeInBytes }));
  }

  async find(parent: Ref, name: string): Promise<Ref> {
    const found = (await this.files(parent)).find(({ fileName }) => fileName === name);
    if (!found) throw new Refused('not-found', `no ${name} in ${parent}`);
    return `${parent}/${found.fileKey}`;
  }

  rename(): Promise<Ref> {
    return noCall();
  }

  move(): Promise<Ref> {
    return noCall();
  }

  copy(): Promise<void> {
    return noCall();
  }

  async remove(node: Ref): Promise<void> {
    const [member, key] = this.placeOf(node);
    ok(await member.say('DELETE', `buckets/${key}`));
  }

  restore(): Promise<Ref> {
    return noCall();
  }

  close(): void {
    for (const member of this.members.values()) member.close();
  }

  private async files(folder: Ref): Promise<UploadInfo[]> {
    return ok(await this.memberAt(folder).say<UploadInfo[]>('GET', 'buckets')).filter(({ completed }) => completed);
  }

  /** The token says which session is meant, so that what is in another one is asked for in one's own. */
  private memberAt(session: Ref): QuicksyncMember {
    return this.members.get(session) ?? this.members.get(this.home)!;
  }

  private placeOf(file: Ref): [QuicksyncMember, string] {
    const [session = '', key = ''] = file.split('/');
    return [this.memberAt(session), key];
  }
}

function ok<T>({ said, status, body }: Pick<Said<T>, 'said' | 'status' | 'body'>): T {
  if (status < 300) return body;
  const refusal = REFUSALS[said];
  throw refusal ? new Refused(refusal, said) : new Error(`an answer that nobody knows: ${said} ${JSON.stringify(body)}`);
}

/** Revokes every developer key of the person. */
async function revoke({ user }: Person): Promise<void> {
  const { content: keys } = await user.http.get<{ content: { id: string }[] }>('/api/1/accounts/developer_keys/list/');
  if (keys.length === 0) throw new Error('there is no developer key to revoke');
  for (const { id } of keys) await user.http.form('/api/1/accounts/developer_keys/revoke/', { id });
}

export const QUICKSYNC_DRIVER: ParityDriver = {
  name: 'quicksync',
  inTree: false,
  lacks: {
    folders: 'a session holds files and no folders',
    places: 'no call names where it looks: the token of the session says it',
    clash: 'names are opaque to the server, so two files may have one',
    rename: 'its document has no call that renames: a complete file never changes',
    move: 'its document has no call that moves: files end with their session',
    copy: 'its document has no call that copies',
    restore: 'what it deletes is deleted permanently, as its document says',
  },
  again: 'another',
  nothing: 'none/00000000-0000-4000-8000-000000000000',
  signIn: (baseUrl, person) => QuicksyncSession.of(baseUrl, person),
  revoke,
};
